import type { DescFile, FileRegistry } from "@bufbuild/protobuf";

/** Every message, enum, extension and service of the package, by name. Iterating over it loads all descriptors. */
export declare const registry: FileRegistry;

/** The full names of all messages that are not nested in another message. Loads no descriptors. */
export declare const messageNames: readonly string[];

/** The descriptor of one .proto file of the package. Throws when the package does not contain it. */
export declare function file(name: string): DescFile;
