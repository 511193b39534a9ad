// Where big things live that do not belong into Redis: files callers upload, and files made for them.
export type { BlobEntry, BlobRange, BlobStat, BlobStore } from "./blob-store.ts";
export { BlobMissingError } from "./blob-missing-error.ts";
export { blobStoreEnvShape, blobStoreSettings, type BlobStoreSettings } from "./blob-store-settings.ts";
export { openBlobStore } from "./open-blob-store.ts";
export { readParts } from "./read-parts.ts";
