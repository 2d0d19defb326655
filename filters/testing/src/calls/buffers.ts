import { bufferType, status } from "../abi.ts";
import { ByteBuffer } from "../bytes.ts";
import type { Caller, HostCall, Readable } from "./caller.ts";

/** Host calls that read and change bodies, and read configurations and the answers to calls. */
export function bufferCalls(vm: Caller): Record<string, HostCall> {
  const { memory } = vm;
  const find = (type: number): Readable | number => {
    if (type >>> 0 > bufferType.callData) return status.badArgument;
    const buffer = vm.context.buffer(type);
    return buffer === "none" ? status.notFound : buffer;
  };
  return {
    proxy_get_buffer_bytes: (type = 0, start = 0, length = 0, outBytes = 0, outSize = 0) => {
      const buffer = find(type);
      if (typeof buffer === "number") return buffer;
      const bytes = buffer instanceof ByteBuffer ? buffer.bytes : (buffer ?? Buffer.alloc(0));
      const from = start >>> 0;
      memory.hand(bytes.subarray(from, from + (length >>> 0)), outBytes, outSize);
      return status.ok;
    },
    proxy_get_buffer_status: (type = 0, outLength = 0, outFlags = 0) => {
      const buffer = find(type);
      if (typeof buffer === "number") return buffer;
      memory.setWord(outLength, buffer?.length ?? 0);
      memory.setWord(outFlags, 0);
      return status.ok;
    },
    proxy_set_buffer_bytes: (type = 0, start = 0, length = 0, data = 0, size = 0) => {
      const buffer = find(type);
      if (typeof buffer === "number") return buffer;
      const bytes = memory.read(data, size);
      if (!(buffer instanceof ByteBuffer)) return status.badArgument;
      if (start === 0) {
        buffer.drain(length >>> 0);
        buffer.prepend(bytes);
      } else if (start >>> 0 >= buffer.length) buffer.add(bytes);
      else return status.badArgument;
      return status.ok;
    },
  };
}
