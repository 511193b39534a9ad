import type { BlobRange, BlobStore } from "./blob-store.ts";

type Part = { readonly key: string; readonly bytes: number };

/** The content of blobs that are pieces of one file, one after another, from `range` on. Throws BlobMissingError. */
export async function* readParts(
  blobs: Pick<BlobStore, "get">,
  parts: readonly Part[],
  range: BlobRange = { start: 0 },
): AsyncGenerator<Buffer> {
  let begin = 0;
  for (const { key, bytes } of parts) {
    const start = Math.max(0, range.start - begin);
    const end = Math.min(bytes - 1, (range.end ?? Infinity) - begin);
    begin += bytes;
    if (start > end) continue;
    const whole = start === 0 && end === bytes - 1;
    for await (const chunk of await blobs.get(key, whole ? undefined : { start, end })) yield chunk as Buffer;
  }
}
