import { randomBytes } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { BlobMissingError } from "./blob-missing-error.ts";
import type { BlobEntry, BlobStore } from "./blob-store.ts";
import { checkKey } from "./check-key.ts";

/** Half-written blobs; on the same file system, so that a rename is one step. */
const partsDir = ".parts";

/** Blobs as files of a folder: a blob's key is its path. */
export function createFolderStore(url: string): BlobStore {
  const root = fileURLToPath(url);
  const fileOf = (key: string): string => path.join(root, checkKey(key));
  const parts = path.join(root, partsDir);

  return {
    async put(key, content) {
      const file = fileOf(key);
      const part = path.join(parts, randomBytes(12).toString("hex"));
      await mkdir(parts, { recursive: true });
      try {
        // `flush`: fsync before it is closed. A name must never lead to content that a power cut can take.
        const writer = createWriteStream(part, { flags: "wx", flush: true });
        await pipeline(content, writer);
        await mkdir(path.dirname(file), { recursive: true });
        await rename(part, file);
        await syncFolder(path.dirname(file));
        return writer.bytesWritten;
      } catch (error) {
        await rm(part, { force: true });
        throw error;
      }
    },
    async get(key, range) {
      const stream = createReadStream(fileOf(key), range ? { start: range.start, end: range.end } : {});
      try {
        await new Promise<void>((resolve, reject) => {
          stream.once("open", () => resolve()).once("error", reject);
        });
      } catch (error) {
        throw isMissing(error) ? new BlobMissingError(key, { cause: error }) : error;
      }
      return stream;
    },
    async stat(key) {
      return statOf(fileOf(key));
    },
    async delete(key) {
      await rm(fileOf(key), { force: true });
    },
    async *list(prefix) {
      for (const name of await namesIn(root)) {
        const key = name.split(path.sep).join("/");
        if (!key.startsWith(prefix) || key.startsWith(`${partsDir}/`)) continue;
        const found = await statOf(path.join(root, name));
        if (found) yield { key, ...found } satisfies BlobEntry;
      }
    },
    async sweep(ageMs) {
      for (const name of await namesIn(parts)) {
        const file = path.join(parts, name);
        const found = await statOf(file);
        if (found && Date.now() - found.modifiedAt.getTime() > ageMs) await rm(file, { force: true });
      }
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

async function statOf(file: string): Promise<{ bytes: number; modifiedAt: Date } | undefined> {
  try {
    const found = await stat(file);
    return found.isFile() ? { bytes: found.size, modifiedAt: found.mtime } : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder, { recursive: true });
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** A new name survives a power cut once its folder is on the disk too. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
