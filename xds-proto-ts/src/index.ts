export { decode, encode, packAny } from "./encode.ts";
export { messageSchema, registry } from "./registry.ts";
