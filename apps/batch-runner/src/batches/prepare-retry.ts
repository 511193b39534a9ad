import { readParts } from "@forebay/blob-store";
import { type BatchRecord, createFileBlobKey } from "@forebay/queue-bullmq";
import { splitLines } from "../lines/split-lines.ts";
import { parseLine } from "../lines/parse-line.ts";
import type { BatchDeps } from "./batch-deps.ts";
import { readLines } from "./read-input.ts";

/**
 * Fills the input file of a batch that is to run the failed lines of another one. False: that batch or one of its
 * files is gone. Throws BlobMissingError.
 */
export async function prepareRetry(deps: BatchDeps, batch: BatchRecord, retryOf: string): Promise<boolean> {
  const earlier = await deps.batches.find(retryOf);
  if (!earlier) return false;
  const failed = await readFailedIds(deps, earlier);
  const content = (async function* () {
    for await (const line of readLines(deps, earlier.input_file_id)) {
      const parsed = parseLine(line, earlier.endpoint, Infinity);
      if ("code" in parsed || !failed.has(parsed.customId) || !line.bytes) continue;
      yield Buffer.concat([line.bytes, Buffer.from("\n")]);
    }
  })();
  const key = await createFileBlobKey(deps.space, batch.input_file_id);
  const bytes = await deps.blobs.put(key, content);
  return (await deps.files.replaceParts(batch.input_file_id, [{ key, bytes }])) !== undefined;
}

async function readFailedIds(deps: BatchDeps, { error_file_id }: BatchRecord): Promise<Set<string>> {
  const parts = await deps.files.readParts(error_file_id);
  const ids = new Set<string>();
  for await (const { bytes } of splitLines(readParts(deps.blobs, parts), Infinity)) {
    const { custom_id: id } = JSON.parse(bytes?.toString("utf8") ?? "{}") as { custom_id?: unknown };
    if (typeof id === "string") ids.add(id);
  }
  return ids;
}
