import { decimal } from "../ascii";

export function test_decimal_writes_numbers_as_toString_does(): void {
  const numbers: i32[] = [0, 7, 10, 1999, -1, -40, i32.MAX_VALUE, i32.MIN_VALUE];
  for (let i = 0; i < numbers.length; i++) assert(decimal(numbers[i]) === numbers[i].toString(), numbers[i].toString());
}
