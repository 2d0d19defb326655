import { allocate, enter } from "../memory";
import { bytesEqual, bytesStartWith, decode, encode, encodedSize } from "../text";

const samples: string[] = ["", "a", "x-api-key", "é", "naïve", "日本語", "😀", "a😀b", "long ".repeat(10000)];

export function test_decoding_returns_the_encoded_text(): void {
  for (let i = 0; i < samples.length; i++) {
    enter();
    const bytes = encode(samples[i]);
    assert(encodedSize === <usize>String.UTF8.byteLength(samples[i]), samples[i]);
    assert(decode(bytes, encodedSize) === samples[i], samples[i]);
  }
}

export function test_bytes_equal_only_the_text_that_they_encode(): void {
  for (let i = 0; i < samples.length; i++) {
    for (let j = 0; j < samples.length; j++) {
      enter();
      const bytes = encode(samples[i]);
      const size = encodedSize;
      assert(bytesEqual(bytes, size, samples[j]) === (i === j), `${samples[i]} and ${samples[j]}`);
      const starts = samples[i].startsWith(samples[j]);
      assert(bytesStartWith(bytes, size, samples[j]) === starts, `${samples[i]} after ${samples[j]}`);
    }
  }
}

export function test_allocated_memory_is_valid_until_the_callback_ends(): void {
  enter();
  const first = allocate(10);
  const large = allocate(100000);
  const second = allocate(10);
  memory.fill(first, 1, 10);
  memory.fill(large, 2, 100000);
  memory.fill(second, 3, 10);
  assert(load<u8>(first + 9) === 1 && load<u8>(large + 99999) === 2 && load<u8>(second) === 3);
  enter();
  assert(allocate(10) === first);
}

export function test_frees_large_blocks(): void {
  for (let i = 0; i < 100; i++) {
    enter();
    allocate(1000000);
  }
  enter();
  assert(memory.size() < 200, memory.size().toString());
}
