import { timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { z } from "zod";
import { type KeyRecord, keyRecordSchema } from "./key-record.ts";
import { hashKey } from "./key-secret.ts";
import type { KeyStore } from "./key-store.ts";

export type Authentication =
  | { kind: "ok"; key: KeyRecord }
  /** No key is configured at all: the deployment is open. */
  | { kind: "open" }
  | { kind: "refused"; why: "missing" | "unknown" | "disabled" | "expired" };

/** Tells who a caller is. What it learned from Redis is believed for `cacheMs`, so that a busy client costs one look-up. */
export type Keyring = {
  authenticate(secret: string | undefined): Promise<Authentication>;
  /** Judges the key with this id as `authenticate` would: for a session, which remembers who logged in. */
  authenticateId(id: string): Promise<Authentication>;
  isOpen(): Promise<boolean>;
};

const cacheEntriesMax = 10_000;

/**
 * @param options.file path of a JSON array of key records, read once: keys that need no Redis entry
 * @param options.cacheMs how long a disabled key may still work; milliseconds
 */
export function createKeyring(
  store: KeyStore,
  options: { file?: string | undefined; cacheMs?: number; now?: () => number } = {},
): Keyring {
  const { cacheMs = 1_000, now = Date.now } = options;
  const fixed = new Map(readKeyFile(options.file).map((record) => [record.hash, record]));
  const cache = new Map<string, { until: number; record: KeyRecord | undefined }>();
  let open = { until: 0, value: false };
  let listed: { until: number; records: KeyRecord[] } = { until: 0, records: [] };

  const find = async (hash: string): Promise<KeyRecord | undefined> => {
    const known = fixed.get(hash);
    if (known) return known;
    const cached = cache.get(hash);
    if (cached && cached.until > now()) return cached.record;
    const record = await store.find(hash);
    // Perhaps it was rotated since the list was read.
    listed.until = 0;
    if (cache.size >= cacheEntriesMax) cache.clear();
    cache.set(hash, { until: now() + cacheMs, record });
    return record;
  };
  const isOpen = async (): Promise<boolean> => {
    if (fixed.size > 0) return false;
    if (open.until <= now()) open = { until: now() + cacheMs, value: (await store.count()) === 0 };
    return open.value;
  };

  return {
    isOpen,
    async authenticate(secret) {
      if (secret === undefined)
        return (await isOpen()) ? { kind: "open" } : { kind: "refused", why: "missing" };
      const hash = hashKey(secret);
      const record = await find(hash);
      if (!record || !timingSafeEqual(Buffer.from(record.hash), Buffer.from(hash))) {
        return { kind: "refused", why: "unknown" };
      }
      return judge(record, now());
    },
    async authenticateId(id) {
      const isIt = (record: KeyRecord): boolean => record.id === id;
      const known = [...fixed.values(), ...(listed.until > now() ? listed.records : [])].find(isIt);
      if (known) return judge(known, now());
      // Also when the list is fresh: the key may be newer.
      listed = { until: now() + cacheMs, records: await store.list() };
      const record = listed.records.find(isIt);
      return record ? judge(record, now()) : { kind: "refused", why: "unknown" };
    },
  };
}

function judge(key: KeyRecord, now: number): Authentication {
  if (key.disabled) return { kind: "refused", why: "disabled" };
  const expired = key.expires_at !== undefined && Date.parse(key.expires_at) <= now;
  return expired ? { kind: "refused", why: "expired" } : { kind: "ok", key };
}

function readKeyFile(path: string | undefined): KeyRecord[] {
  if (path === undefined) return [];
  return z.array(keyRecordSchema).parse(JSON.parse(readFileSync(path, "utf8")));
}
