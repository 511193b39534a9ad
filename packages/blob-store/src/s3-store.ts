import { Readable } from "node:stream";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  S3Client,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { BlobMissingError } from "./blob-missing-error.ts";
import type { BlobStore } from "./blob-store.ts";
import type { BlobStoreSettings } from "./blob-store-settings.ts";
import { checkKey } from "./check-key.ts";

/** Of these, two are in memory at a time: what an upload costs, however large it is. */
const partBytes = 5 * 1024 * 1024;
const partsAtOnce = 2;

/** Blobs as objects of a bucket of anything that speaks S3. */
export function openS3Store(settings: BlobStoreSettings & { kind: "s3" }): BlobStore {
  const { bucket: Bucket, prefix, endpoint, region, pathStyle, credentials } = settings;
  const client = new S3Client({
    region,
    forcePathStyle: pathStyle,
    ...(endpoint !== undefined && { endpoint }),
    // A copy: the SDK writes into it, and configuration is frozen.
    ...(credentials && { credentials: { ...credentials } }),
    // Many servers do not know the checksums newer SDKs add of their own accord.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
  const keyOf = (key: string): string => prefix + checkKey(key);

  return {
    async put(key, content) {
      let bytes = 0;
      const broken: { reason?: unknown } = {};
      const counted = async function* (): AsyncGenerator<Buffer> {
        try {
          for await (const chunk of content as AsyncIterable<Buffer>) {
            bytes += chunk.length;
            yield chunk;
          }
        } catch (error) {
          broken.reason = error;
          throw error;
        }
      };
      const Body = Readable.from(counted(), { objectMode: false });
      const params = { Bucket, Key: keyOf(key), Body };
      // When the source or an upload of a part fails, the parts that were sent are thrown away.
      const upload = new Upload({ client, params, partSize: partBytes, queueSize: partsAtOnce });
      await upload.done().catch((error: unknown) => {
        throw broken.reason ?? error;
      });
      return bytes;
    },
    async get(key, range) {
      const Range = range && `bytes=${range.start}-${range.end ?? ""}`;
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: keyOf(key), Range }));
        if (Body instanceof Readable) return Body;
        throw new TypeError("the S3 client gave no stream");
      } catch (error) {
        throw isMissing(error) ? new BlobMissingError(key, { cause: error }) : error;
      }
    },
    async stat(key) {
      try {
        const head = await client.send(new HeadObjectCommand({ Bucket, Key: keyOf(key) }));
        return { bytes: head.ContentLength ?? 0, modifiedAt: head.LastModified ?? new Date(0) };
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    async delete(key) {
      await client.send(new DeleteObjectCommand({ Bucket, Key: keyOf(key) }));
    },
    async *list(wanted) {
      let ContinuationToken: string | undefined;
      do {
        const page: ListObjectsV2CommandOutput = await client.send(
          new ListObjectsV2Command({ Bucket, Prefix: prefix + wanted, ContinuationToken }),
        );
        for (const { Key = "", Size: bytes = 0, LastModified: modifiedAt = new Date(0) } of page.Contents ??
          []) {
          yield { key: Key.slice(prefix.length), bytes, modifiedAt };
        }
        ContinuationToken = page.NextContinuationToken;
      } while (ContinuationToken !== undefined);
    },
    // Parts of uploads whose writer was killed: a lifecycle rule of the bucket ends them (docs/batches.md).
    sweep: async () => undefined,
    async [Symbol.asyncDispose]() {
      client.destroy();
    },
  };
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && (error.name === "NoSuchKey" || error.name === "NotFound");
