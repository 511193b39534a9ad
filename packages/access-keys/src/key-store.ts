import { createLuaScript, noteRunningMax, type QueueSpace } from "@forebay/queue-bullmq";
import { createKeyId, createKeySecret, hashKey } from "./key-secret.ts";
import { type KeyInput, keyInputSchema, type KeyRecord, keyRecordSchema } from "./key-record.ts";

/** A key that was just made; `key` is shown once and stored nowhere. */
export type NewKey = { readonly key: string; readonly record: KeyRecord };

export class KeyNotFoundError extends Error {
  readonly code = "key_not_found";
  constructor(id: string) {
    super(`there is no key ${id}; \`forebay keys list\` shows them`);
  }
}

export class KeyExistsError extends Error {
  readonly code = "key_exists";
  constructor(id: string) {
    super(`this key is already known, as ${id}; \`forebay keys list\` shows it`);
  }
}

// KEYS: the hash of keys. ARGV: SHA-256 of the key, its record; those that replace them. Returns 0 when the record
// is another one by now: of two changes at the same time, neither may undo the other.
const replace = createLuaScript(`
if redis.call("HGET", KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call("HDEL", KEYS[1], ARGV[1])
redis.call("HSET", KEYS[1], ARGV[3], ARGV[4])
return 1
`);

// KEYS: the hash of keys. ARGV: SHA-256 of the key, its record. Returns 1 when it became the first key.
const writeFirst = createLuaScript(`
if redis.call("HLEN", KEYS[1]) > 0 then return 0 end
return redis.call("HSET", KEYS[1], ARGV[1], ARGV[2])
`);

/** API keys in Redis: a hash at `<prefix>:keys`, field = SHA-256 of the key, value = the record. */
export type KeyStore = {
  /**
   * Makes a key; `secret` takes over one that callers already use.
   * Throws ZodError on bad input, KeyExistsError when the secret is another key's.
   */
  create(input: KeyInput, secret?: string): Promise<NewKey>;
  /** Makes a key only if there is none at all, whoever else tries at the same time; otherwise undefined. */
  createFirst(input: KeyInput, secret?: string): Promise<NewKey | undefined>;
  list(): Promise<KeyRecord[]>;
  find(hash: string): Promise<KeyRecord | undefined>;
  count(): Promise<number>;
  /** A new secret for the same record; the old one stops working at once. Throws KeyNotFoundError. */
  rotate(id: string): Promise<NewKey>;
  /** Throws KeyNotFoundError. */
  setDisabled(id: string, disabled: boolean): Promise<KeyRecord>;
};

export function createKeyStore(space: QueueSpace): KeyStore {
  const redisKey = space.key("keys");
  const readAll = async (): Promise<{ text: string; record: KeyRecord }[]> => {
    const texts = Object.values(await space.client.hgetall(redisKey));
    return texts.map((text) => ({ text, record: parseRecord(text) }));
  };
  /** Throws KeyNotFoundError. */
  const change = async (id: string, changed: Partial<KeyRecord>): Promise<KeyRecord> => {
    for (;;) {
      const old = (await readAll()).find(({ record }) => record.id === id);
      if (!old) throw new KeyNotFoundError(id);
      const record = { ...old.record, ...changed };
      const args = [old.record.hash, old.text, record.hash, JSON.stringify(record)];
      if ((await replace(space.client, [redisKey], args)) === 1) return record;
    }
  };
  /** Its tenant's jobs are on their way perhaps, put with another key. */
  const noteLimit = async ({ tenant, limits }: KeyRecord): Promise<void> => {
    if (limits.jobs_running_max !== undefined) await noteRunningMax(space, tenant, limits.jobs_running_max);
  };
  const find = async (hash: string): Promise<KeyRecord | undefined> => {
    const text = await space.client.hget(redisKey, hash);
    return text === null ? undefined : parseRecord(text);
  };

  return {
    list: async () => (await readAll()).map(({ record }) => record),
    find,
    async create(input, secret = createKeySecret()) {
      const record = newRecord(input, secret);
      const written = await space.client.hsetnx(redisKey, record.hash, JSON.stringify(record));
      if (written === 0) throw new KeyExistsError((await find(record.hash))?.id ?? "another key");
      await noteLimit(record);
      return { key: secret, record };
    },
    async createFirst(input, secret = createKeySecret()) {
      const record = newRecord(input, secret);
      const reply = await writeFirst(space.client, [redisKey], [record.hash, JSON.stringify(record)]);
      if (reply !== 1) return undefined;
      await noteLimit(record);
      return { key: secret, record };
    },
    count: () => space.client.hlen(redisKey),
    async rotate(id) {
      const key = createKeySecret();
      return { key, record: await change(id, { hash: hashKey(key) }) };
    },
    setDisabled: (id, disabled) => change(id, { disabled }),
  };
}

function parseRecord(text: string): KeyRecord {
  return keyRecordSchema.parse(JSON.parse(text));
}

function newRecord(input: KeyInput, secret: string): KeyRecord {
  return keyRecordSchema.parse({
    ...keyInputSchema.parse(input),
    id: createKeyId(),
    hash: hashKey(secret),
    created_at: new Date().toISOString(),
  });
}
