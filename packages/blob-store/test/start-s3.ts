import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import S3rver from "s3rver";

export type S3Sandbox = {
  readonly endpoint: string;
  readonly bucket: string;
  readonly credentials: { accessKeyId: string; secretAccessKey: string };
  /** Uploads in parts that were begun and neither completed nor given up. */
  countUploads(): Promise<number>;
  stop(): Promise<void>;
};

/** A server of another maker that speaks S3 and keeps its buckets in a folder. */
export async function startS3(): Promise<S3Sandbox> {
  const directory = await mkdtemp(path.join(tmpdir(), "forebay-s3-"));
  const bucket = "blobs";
  const server = new S3rver({ port: 0, directory, silent: true, configureBuckets: [{ name: bucket }] });
  const uploadsDir = path.join(directory, bucket, "._S3rver_uploads");
  // What this server lacks: AbortMultipartUpload.
  server.middleware.unshift(async (context, next) => {
    const { uploadId } = context.query;
    if (context.method !== "DELETE" || uploadId === undefined) return next();
    await rm(path.join(uploadsDir, uploadId), { recursive: true });
    context.status = 204;
  });
  const { port } = await server.run();
  return {
    endpoint: `http://127.0.0.1:${port}`,
    bucket,
    credentials: { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" },
    async countUploads() {
      return (await readdir(uploadsDir)).length;
    },
    async stop() {
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
