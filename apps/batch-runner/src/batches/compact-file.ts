import { readParts } from "@forebay/blob-store";
import { createFileBlobKey } from "@forebay/queue-bullmq";
import type { BatchDeps } from "./batch-deps.ts";

/**
 * Makes one blob of the many pieces a file was written in. The pieces stay until they are swept, for those who
 * are reading them.
 */
export async function compactFile({ space, files, blobs }: BatchDeps, fileId: string): Promise<void> {
  const parts = await files.readParts(fileId);
  if (parts.length === 0 || parts[0]?.key.includes("/files/")) return;
  const key = await createFileBlobKey(space, fileId);
  await files.replaceParts(fileId, [{ key, bytes: await blobs.put(key, readParts(blobs, parts)) }]);
}
