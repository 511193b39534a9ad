import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { type BlobStore, openBlobStore } from "@forebay/blob-store";
import {
  closeRedis,
  createBatchBlobKey,
  createBatchId,
  createBatchStore,
  createFileBlobKey,
  createFileId,
  createFileStore,
  openQueueSpace,
  openRedis,
  type QueueSpace,
  waitForRedis,
} from "@forebay/queue-bullmq";
import type {} from "@forebay/test-harness";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { sweepExpired, sweepOrphans } from "../src/upkeep/sweep-files.ts";

const stack = new AsyncDisposableStack();
let space: QueueSpace;
let blobs: BlobStore;
beforeAll(async () => {
  const prefix = `sweep-${randomBytes(4).toString("hex")}`;
  const client = openRedis({ url: inject("redisUrl"), prefix }, "consumer", prefix, () => undefined);
  stack.defer(() => closeRedis(client));
  await waitForRedis(client, 10_000);
  space = openQueueSpace(client, prefix);
  stack.defer(async () => {
    await client.unlink(await client.keys(`${prefix}:*`));
    await space.close();
  });
  const dir = await mkdtemp(path.join(tmpdir(), "forebay-sweep-"));
  stack.defer(() => rm(dir, { recursive: true, force: true }));
  blobs = openBlobStore({ kind: "folder", url: pathToFileURL(dir).href });
});
afterAll(() => stack.disposeAsync());

const now = Math.floor(Date.now() / 1_000);
const put = async (key: string): Promise<string> => {
  await blobs.put(key, Readable.from([Buffer.from("{}\n")]));
  return key;
};
const deps = () => ({ space, blobs, files: createFileStore(space), batches: createBatchStore(space) });

async function addFile(expires_at: number): Promise<{ id: string; key: string }> {
  const id = createFileId();
  const key = await put(await createFileBlobKey(space, id));
  const names = { tenant: "acme", purpose: "batch", filename: "f" } as const;
  await deps().files.add({ v: 1, id, ...names, created_at: now, expires_at }, [{ key, bytes: 3 }]);
  return { id, key };
}

test("a file is erased when its time is up, unless a batch that is not over uses it", async () => {
  const { files, batches } = deps();
  const [old, used, young] = [await addFile(now - 1), await addFile(now - 1), await addFile(now + 60)];
  const names = { id: createBatchId(), tenant: "acme", endpoint: "/v1/embeddings" } as const;
  const made = { input_file_id: used.id, output_file_id: createFileId(), error_file_id: createFileId() };
  const times = { created_at: now, expires_at: now, files_expire_at: now };
  expect(await batches.add({ v: 1, ...names, ...made, ...times })).toEqual({ kind: "added" });

  expect(await sweepExpired(deps(), now)).toBe(1);
  expect(await files.find(old.id)).toBeUndefined();
  expect(await blobs.stat(old.key)).toBeUndefined();
  for (const kept of [used, young]) {
    expect(await files.find(kept.id)).toBeDefined();
    expect(await blobs.stat(kept.key)).toBeDefined();
  }
});

test("blobs of nobody go once they are old; those of files, of running batches and of others stay", async () => {
  const { batches } = deps();
  const file = await addFile(now + 60);
  const names = { id: createBatchId(), tenant: "acme", endpoint: "/v1/embeddings" } as const;
  const made = { input_file_id: file.id, output_file_id: createFileId(), error_file_id: createFileId() };
  const times = { created_at: now, expires_at: now, files_expire_at: now };
  await batches.add({ v: 1, ...names, ...made, ...times });
  const kept = [file.key, await createBatchBlobKey(space, names.id, "output"), "another/files/x/y"];
  const lost = [
    await createFileBlobKey(space, createFileId()),
    await createFileBlobKey(space, file.id),
    await createBatchBlobKey(space, createBatchId(), "error"),
  ];
  for (const key of [...kept.slice(1), ...lost]) await put(key);

  expect(await sweepOrphans(deps(), 60_000)).toBe(0);
  expect(await sweepOrphans(deps(), -1)).toBe(lost.length);
  for (const key of kept) expect(await blobs.stat(key)).toBeDefined();
  for (const key of lost) expect(await blobs.stat(key)).toBeUndefined();
});
