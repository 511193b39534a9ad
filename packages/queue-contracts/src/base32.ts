/** Crockford's base32 in lower case: no i, l, o, u; sorts like the numbers it writes. */
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

export function numberToBase32(value: number, length: number): string {
  let text = "";
  for (let rest = value, i = 0; i < length; i++, rest = Math.floor(rest / 32)) {
    text = alphabet.charAt(rest % 32) + text;
  }
  return text;
}

export function base32ToNumber(text: string): number {
  let value = 0;
  for (const char of text) value = value * 32 + alphabet.indexOf(char);
  return value;
}

/** One character per byte, five random bits of each. */
export function bytesToBase32(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += alphabet.charAt(byte & 31);
  return text;
}

/** 40 bits of FNV-1a as 8 characters: an address, not a secret. Written out so that browsers can run it. */
export function hashToBase32(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return numberToBase32(Number(BigInt.asUintN(40, hash ^ (hash >> 40n))), 8);
}
