import { readParts } from "@forebay/blob-store";
import type { BatchCursor } from "@forebay/queue-bullmq";
import { type FileLine, splitLines } from "../lines/split-lines.ts";
import type { BatchDeps } from "./batch-deps.ts";

/** The lines of a file, from a line on. Throws BlobMissingError. */
export async function* readLines(
  { files, blobs, limits }: BatchDeps,
  fileId: string,
  from?: BatchCursor,
): AsyncGenerator<FileLine> {
  const parts = await files.readParts(fileId);
  yield* splitLines(readParts(blobs, parts, { start: from?.offset ?? 0 }), limits.lineBytesMax, from);
}

/** One line again, by where it is. */
export async function readLineAt(
  { files, blobs }: BatchDeps,
  fileId: string,
  place: { index: number; line: number; offset: number; length: number },
): Promise<FileLine> {
  const parts = await files.readParts(fileId);
  const range = { start: place.offset, end: place.offset + place.length - 1 };
  const chunks: Buffer[] = [];
  for await (const chunk of readParts(blobs, parts, range)) chunks.push(chunk);
  return { ...place, bytes: Buffer.concat(chunks) };
}
