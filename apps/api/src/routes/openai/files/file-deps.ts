import type { BlobStore } from "@forebay/blob-store";
import type { BatchStore, FileStore } from "@forebay/queue-bullmq";
import type { JobDeps } from "../../jobs/job-deps.ts";

export type FileDeps = JobDeps & {
  readonly files: FileStore;
  readonly batches: BatchStore;
  readonly blobs: BlobStore;
  readonly uploads: {
    readonly bytesMax: number;
    /** How long files and what is known of batches are kept, in seconds. */ readonly retentionS: number;
  };
};
