import { randomBytes } from "node:crypto";
import type { QueueSpace } from "../queues/queue-space.ts";

/**
 * The folder of the blob store where the blobs of this deployment are: a name that is kept in Redis with everything
 * that is known of them. Another deployment on the same store, or the same one after its Redis was lost, has another:
 * blobs it knows nothing of are not its own, and not its to sweep.
 */
export async function readBlobRoot({ client, key }: QueueSpace): Promise<string> {
  const root = await client.get(key("blob-root"));
  if (root !== null) return root;
  await client.set(key("blob-root"), randomBytes(8).toString("hex"), "NX");
  return (await client.get(key("blob-root"))) ?? "";
}

/** A key for a new blob of a file. */
export async function createFileBlobKey(space: QueueSpace, fileId: string): Promise<string> {
  return `${await readBlobRoot(space)}/files/${fileId}/${randomBytes(8).toString("hex")}`;
}

/** A key for a new piece of what a batch writes. */
export async function createBatchBlobKey(
  space: QueueSpace,
  batchId: string,
  kind: "output" | "error",
): Promise<string> {
  return `${await readBlobRoot(space)}/batches/${batchId}/${kind}-${randomBytes(8).toString("hex")}`;
}
