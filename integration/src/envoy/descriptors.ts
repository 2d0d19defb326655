import { fromBinary, ScalarType } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { type FileDescriptorProto, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

const suffix = Buffer.from(".proto");
const nameTag = 0x0a;
/** Names longer than this would have a length of two bytes; none is. */
const maxNameLength = 127;

/**
 * The descriptors of .proto files that an executable carries: protoc writes each into the generated C++ as one string, so
 * they stand in the file as they are, each from the tag of its name to its last field.
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

/** Where the field begins whose text is a file name that ends here: its tag, its length, the text. */
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
    // What only looked like a name is followed by anything but fields.
    return undefined;
  }
}

/** Fields come in the order of their numbers, so the first that does not is no part of the descriptor. */
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
