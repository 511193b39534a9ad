import type { BlobStore } from "@forebay/blob-store";
import {
  type BatchStore,
  type FileStore,
  isBatchOver,
  type QueueSpace,
  readBlobRoot,
} from "@forebay/queue-bullmq";

type Deps = {
  readonly space: QueueSpace;
  readonly files: FileStore;
  readonly batches: BatchStore;
  readonly blobs: BlobStore;
};

const filesPerSweep = 1_000;
/** A file that is in use when its time is up is looked at again after this long; seconds. */
const postponeS = 3_600;

/** Erases files whose time is up, and old records of batches. Returns how many files. */
export async function sweepExpired({ files, batches, blobs }: Deps, nowS: number): Promise<number> {
  await batches.eraseOld(nowS, filesPerSweep);
  let erased = 0;
  for (const id of await files.listExpired(nowS, filesPerSweep)) {
    const file = await files.find(id);
    const parts = await files.remove(id, file?.tenant ?? "");
    if (parts === "in_use") await files.postponeExpiry(id, nowS + postponeS);
    if (!Array.isArray(parts)) continue;
    for (const { key } of parts) await blobs.delete(key);
    erased++;
  }
  return erased;
}

/**
 * Removes blobs that belong to nobody: their writer died before it said whose they are, or their content is
 * elsewhere now. Only what is older than `ageMs`: younger ones may be about to be somebody's. Returns how many.
 */
export async function sweepOrphans({ space, files, batches, blobs }: Deps, ageMs: number): Promise<number> {
  await blobs.sweep(ageMs);
  const root = await readBlobRoot(space);
  let removed = 0;
  for await (const { key, modifiedAt } of blobs.list(`${root}/`)) {
    if (Date.now() - modifiedAt.getTime() <= ageMs || (await isOwned(key))) continue;
    await blobs.delete(key);
    removed++;
  }
  return removed;

  async function isOwned(key: string): Promise<boolean> {
    const [, folder, owner = ""] = key.split("/");
    if (folder === "files") return has(await files.readParts(owner), key);
    const batch = await batches.find(owner);
    if (!batch) return false;
    if (!isBatchOver(batch.status)) return true;
    const [output, errors] = [batch.output_file_id, batch.error_file_id];
    return has(await files.readParts(output), key) || has(await files.readParts(errors), key);
  }
}

const has = (parts: readonly { key: string }[], key: string): boolean =>
  parts.some((part) => part.key === key);
