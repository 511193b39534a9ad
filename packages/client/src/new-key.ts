/** A text nobody else has: an Idempotency-Key. */
export function newKey(): string {
  const numbers = new Uint32Array(4);
  // `randomUUID` is missing on pages that came over plain http, all of `crypto` in Node 18. The key only has to
  // be another one than this tenant's others of the day: it is no secret.
  const { crypto }: { crypto?: typeof globalThis.crypto } = globalThis;
  if (crypto) crypto.getRandomValues(numbers);
  else numbers.forEach((_, index) => (numbers[index] = Math.random() * 2 ** 32));
  return Array.from(numbers, (number) => number.toString(36).padStart(7, "0")).join("");
}
