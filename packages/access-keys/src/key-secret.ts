import { hash, randomBytes } from "node:crypto";

/** 160 random bits: cannot be guessed, so one round of SHA-256 is enough to store. */
export function createKeySecret(): string {
  return `fbk_${randomBytes(20).toString("base64url")}`;
}

export function hashKey(secret: string): string {
  return hash("sha256", secret, "hex");
}

export function createKeyId(): string {
  return `key_${randomBytes(8).toString("hex").slice(0, 10)}`;
}
