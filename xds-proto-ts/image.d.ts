import type { DescFile, FileRegistry } from "@bufbuild/protobuf";

/** Every message, enum, extension and service of the package, by name. */
export declare const registry: FileRegistry;

/** The descriptor of one .proto file of the package; throws when there is none of that name. */
export declare function file(name: string): DescFile;
