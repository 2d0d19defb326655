import { fromBinary, ScalarType } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { type FileDescriptorProto, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

const suffix = Buffer.from(".proto");
const nameTag = 0x0a;
/** A longer name would need two bytes for its length. No name is longer. */
const maxNameLength = 127;

/**
 * Finds the descriptors of .proto files in an executable. protoc writes each descriptor into the generated C++ as one
 * string, so its bytes are in the executable, from the tag of its name to its last field.
 */
export function descriptorsIn(executable: Buffer): ReadonlyMap<string, FileDescriptorProto> {
  const found = new Map<string, FileDescriptorProto>();
  for (let end = executable.indexOf(suffix); end !== -1; end = executable.indexOf(suffix, end + 1)) {
    const start = nameStart(executable, end + suffix.length);
    if (start === undefined) continue;
    const descriptor = descriptorAt(executable, start);
    if (descriptor !== undefined) found.set(descriptor.name, descriptor);
  }
  return found;
}

/** Finds the start of the field (tag, length, text) whose text is a file name with this end. */
function nameStart(executable: Buffer, end: number): number | undefined {
  for (let length = suffix.length + 1; length <= Math.min(maxNameLength, end - 2); length++) {
    const start = end - length - 2;
    if (executable[start] !== nameTag || executable[start + 1] !== length) continue;
    const name = executable.toString("latin1", start + 2, end);
    return /^[\w./-]+$/.test(name) ? start : undefined;
  }
  return undefined;
}

function descriptorAt(executable: Buffer, start: number): FileDescriptorProto | undefined {
  try {
    const descriptor = fromBinary(FileDescriptorProtoSchema, executable.subarray(start, fieldsEnd(executable, start)));
    return descriptor.package === "" ? undefined : descriptor;
  } catch {
    // It only looked like a name: what follows are no fields.
    return undefined;
  }
}

/** The end of a descriptor. Its fields are in the order of their numbers, so a field out of order is not part of it. */
function fieldsEnd(executable: Buffer, start: number): number {
  const reader = new BinaryReader(executable);
  reader.pos = start;
  let last = 1;
  for (;;) {
    const end = reader.pos;
    const [number, wireType] = fieldAt(reader);
    if (number < last || (number === 1 && end !== start) || !isField(number, wireType)) return end;
    reader.skip(wireType);
    last = number;
  }
}

function fieldAt(reader: BinaryReader): readonly [number, WireType] {
  try {
    return reader.tag();
  } catch {
    return [0, WireType.Varint];
  }
}

function isField(number: number, wireType: WireType): boolean {
  const field = FileDescriptorProtoSchema.fields.find((each) => each.number === number);
  if (field === undefined) return false;
  const isNumber = field.enum !== undefined || field.scalar === ScalarType.INT32;
  return wireType === (isNumber ? WireType.Varint : WireType.LengthDelimited);
}
