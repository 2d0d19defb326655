export { decode, encode, packAny } from "./encode.ts";
export { type JsonReading, readJson } from "./json/read.ts";
export type { JsonIssue } from "./json/reader.ts";
export { toJson } from "./json/write.ts";
export { messageSchema, registry } from "./registry.ts";
export type { Violation } from "./validate/message-checks.ts";
export { validate } from "./validate/validate.ts";
