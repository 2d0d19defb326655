import type { DescFile, FileRegistry } from "@bufbuild/protobuf";

/** Every message, enum, extension and service of the package, by name. Going through all of it loads all of it. */
export declare const registry: FileRegistry;

/** The full names of all messages but those inside of others, without loading any. */
export declare const messageNames: readonly string[];

/** The descriptor of one .proto file of the package; throws when there is none of that name. */
export declare function file(name: string): DescFile;
