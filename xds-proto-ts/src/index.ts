export { messageSchema, registry } from "./registry.ts";
