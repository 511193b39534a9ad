import { parseJson } from "../redis/parse-json.ts";
import { createLuaScript } from "../redis/lua.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { expiringFilesKey, fileKey, filePartsKey, tenantFilesKey } from "./file-keys.ts";
import {
  type FileHead,
  fileHeadSchema,
  type FilePart,
  filePartSchema,
  type FileRecord,
} from "./file-record.ts";
import { type Page, type PageQuery, readPage } from "./read-page.ts";

/** What is known of files. Their content is in the blob store; a record is written after its blob and erased before it. */
export type FileStore = {
  add(head: FileHead, parts: readonly FilePart[]): Promise<void>;
  find(id: string): Promise<FileRecord | undefined>;
  list(tenant: string, query: PageQuery): Promise<Page<FileRecord>>;
  /** The blobs its content is made of, in order. */
  readParts(id: string): Promise<FilePart[]>;
  /** Puts other blobs in the place of all it had; undefined: there is no such file. Returns those it had. */
  replaceParts(id: string, parts: readonly FilePart[]): Promise<FilePart[] | undefined>;
  /** Erases the record and says which blobs are nobody's now; `in_use`: a batch reads or writes it. */
  remove(id: string, tenant: string): Promise<FilePart[] | "in_use" | "missing">;
  /** Files whose time is up, longest ago first. */
  listExpired(nowS: number, max: number): Promise<string[]>;
  /** Looks at it again at that time. */
  postponeExpiry(id: string, untilS: number): Promise<void>;
};

export function createFileStore(space: QueueSpace): FileStore {
  const { client } = space;
  const find: FileStore["find"] = async (id) => parseFile(await client.hgetall(fileKey(space, id)));
  return {
    find,
    async add(head, parts) {
      const keys = [fileKey(space, head.id), filePartsKey(space, head.id)];
      const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
      const texts = parts.map((part) => JSON.stringify(part));
      await addFile(
        client,
        [...keys, tenantFilesKey(space, head.tenant), expiringFilesKey(space)],
        [JSON.stringify(head), bytes, Date.now(), head.expires_at, head.id, ...texts],
      );
    },
    list: (tenant, query) => readPage(space, tenantFilesKey(space, tenant), query, find),
    async readParts(id) {
      return parseParts(await client.lrange(filePartsKey(space, id), 0, -1));
    },
    async replaceParts(id, parts) {
      const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
      const keys = [fileKey(space, id), filePartsKey(space, id)];
      const texts = parts.map((part) => JSON.stringify(part));
      const old = (await replaceFileParts(client, keys, [bytes, ...texts])) as string[] | null;
      return old === null ? undefined : parseParts(old);
    },
    async remove(id, tenant) {
      const keys = [fileKey(space, id), filePartsKey(space, id), tenantFilesKey(space, tenant)];
      const reply = (await removeFile(client, [...keys, expiringFilesKey(space)], [id])) as string[] | string;
      return Array.isArray(reply) ? parseParts(reply) : reply === "in_use" ? "in_use" : "missing";
    },
    listExpired: (nowS, max) => client.zrangebyscore(expiringFilesKey(space), "-inf", nowS, "LIMIT", 0, max),
    async postponeExpiry(id, untilS) {
      await client.zadd(expiringFilesKey(space), "XX", untilS, id);
    },
  };
}

function parseFile(hash: Readonly<Record<string, string>>): FileRecord | undefined {
  const head = fileHeadSchema.safeParse(parseJson(hash["head"])).data;
  return head && { ...head, bytes: Number(hash["bytes"] ?? 0), users: Number(hash["users"] ?? 0) };
}

const parseParts = (texts: readonly string[]): FilePart[] =>
  texts.map((text) => filePartSchema.parse(parseJson(text)));

// KEYS: file, parts, the tenant's files, files by expiry. ARGV: head, bytes, now (ms), expiry (s), id, parts.
const addFile = createLuaScript(`
redis.call("HSET", KEYS[1], "head", ARGV[1], "bytes", ARGV[2])
redis.call("DEL", KEYS[2])
for i = 6, #ARGV do redis.call("RPUSH", KEYS[2], ARGV[i]) end
redis.call("ZADD", KEYS[3], ARGV[3], ARGV[5])
redis.call("ZADD", KEYS[4], ARGV[4], ARGV[5])
`);

// KEYS: file, parts. ARGV: bytes, parts. Returns the parts there were, or nothing.
const replaceFileParts = createLuaScript(`
if redis.call("EXISTS", KEYS[1]) == 0 then return false end
local old = redis.call("LRANGE", KEYS[2], 0, -1)
redis.call("DEL", KEYS[2])
for i = 2, #ARGV do redis.call("RPUSH", KEYS[2], ARGV[i]) end
redis.call("HSET", KEYS[1], "bytes", ARGV[1])
return old
`);

// KEYS: file, parts, the tenant's files, files by expiry. ARGV: id. Returns the parts, or why not.
const removeFile = createLuaScript(`
if redis.call("EXISTS", KEYS[1]) == 0 then
  redis.call("ZREM", KEYS[4], ARGV[1])
  return "missing"
end
if tonumber(redis.call("HGET", KEYS[1], "users") or "0") > 0 then return "in_use" end
local parts = redis.call("LRANGE", KEYS[2], 0, -1)
redis.call("UNLINK", KEYS[1], KEYS[2])
redis.call("ZREM", KEYS[3], ARGV[1])
redis.call("ZREM", KEYS[4], ARGV[1])
return parts
`);
