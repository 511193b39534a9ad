/** Throws TypeError for a key that could lead out of the store. Keys are made by our own code. */
export function checkKey(key: string): string {
  const parts = key.split("/");
  if (parts.every((part) => /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(part))) return key;
  throw new TypeError("this is not the key of a blob");
}
