import type { BlobStore } from "./blob-store.ts";
import type { BlobStoreSettings } from "./blob-store-settings.ts";
import { createFolderStore } from "./folder-store.ts";

/** The store that is configured. Nothing is touched before it is used. */
export function openBlobStore(settings: BlobStoreSettings): BlobStore {
  if (settings.kind === "folder") return createFolderStore(settings.url);
  // The SDK takes some 20 MB of memory: loaded when the first blob is touched, and never for a folder.
  let opened: Promise<BlobStore> | undefined;
  const store = (): Promise<BlobStore> => {
    opened ??= import("./s3-store.ts").then(({ openS3Store }) => openS3Store(settings));
    return opened;
  };
  return {
    put: async (key, content) => (await store()).put(key, content),
    get: async (key, range) => (await store()).get(key, range),
    stat: async (key) => (await store()).stat(key),
    delete: async (key) => (await store()).delete(key),
    async *list(prefix) {
      yield* (await store()).list(prefix);
    },
    sweep: async (ageMs) => (await store()).sweep(ageMs),
    async [Symbol.asyncDispose]() {
      await (await opened)?.[Symbol.asyncDispose]();
    },
  };
}
