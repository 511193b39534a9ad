import type { Readable } from "node:stream";

export type BlobStat = { readonly bytes: number; readonly modifiedAt: Date };
export type BlobEntry = BlobStat & { readonly key: string };
/** Offsets of bytes; `end` is the last one that is wanted, as HTTP counts. */
export type BlobRange = { readonly start: number; readonly end?: number | undefined };

/**
 * Blobs by key. Keys are segments of `[A-Za-z0-9._-]` with slashes between. A blob is there whole or not at all,
 * and is never changed: what is put under a key that exists replaces it.
 */
export type BlobStore = AsyncDisposable & {
  /** Stores what the stream gives, and returns how many bytes that were. A stream that fails leaves nothing behind. */
  put(key: string, content: Readable | AsyncIterable<Buffer>): Promise<number>;
  /** The stream begins once the blob is known to be there. Throws BlobMissingError. */
  get(key: string, range?: BlobRange): Promise<Readable>;
  stat(key: string): Promise<BlobStat | undefined>;
  /** A blob that is not there is not missed. */
  delete(key: string): Promise<void>;
  /** All blobs whose keys begin with `prefix`, in no order. */
  list(prefix: string): AsyncGenerator<BlobEntry>;
  /** Removes what writers that died left behind, if it is older than `ageMs`. */
  sweep(ageMs: number): Promise<void>;
};
