type Numbers = Uint8Array | Uint32Array | Float64Array;

/** The same numbers with room for so many; `fill` in the new places. */
export function grown<T extends Numbers>(numbers: T, length: number, fill = 0): T {
  const larger = new (numbers.constructor as new (length: number) => T)(length);
  larger.set(numbers);
  if (fill !== 0) larger.fill(fill, numbers.length);
  return larger;
}
