import path from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";

/**
 * Where blobs are, as environment variables; spread into an app's config schema. Every process that reads or
 * writes files must be told the same.
 */
export const blobStoreEnvShape = {
  FOREBAY_DATA_DIR: z.string().default(".forebay"),
  BLOB_STORE_URL: z
    .url({
      protocol: /^(file|s3)$/,
      error:
        "must be file:///a/folder or s3://bucket/prefix?endpoint=https://host&region=name&path_style=true",
    })
    .optional(),
  /** Both or none: without them the SDK looks where it always does (environment, profile, instance role). */
  BLOB_STORE_S3_ACCESS_KEY_ID: z.string().optional(),
  BLOB_STORE_S3_SECRET_ACCESS_KEY: z.string().optional(),
};

export type BlobStoreSettings =
  | { readonly kind: "folder"; readonly url: string }
  | {
      readonly kind: "s3";
      readonly bucket: string;
      /** Begins every key; empty or ends with a slash. */ readonly prefix: string;
      readonly endpoint: string | undefined;
      readonly region: string;
      readonly pathStyle: boolean;
      readonly credentials: { accessKeyId: string; secretAccessKey: string } | undefined;
    };

export function blobStoreSettings(env: {
  FOREBAY_DATA_DIR: string;
  BLOB_STORE_URL?: string | undefined;
  BLOB_STORE_S3_ACCESS_KEY_ID?: string | undefined;
  BLOB_STORE_S3_SECRET_ACCESS_KEY?: string | undefined;
}): BlobStoreSettings {
  const folder = pathToFileURL(path.resolve(env.FOREBAY_DATA_DIR, "blobs")).href;
  const url = new URL(env.BLOB_STORE_URL ?? folder);
  if (url.protocol === "file:") return { kind: "folder", url: url.href };
  const { BLOB_STORE_S3_ACCESS_KEY_ID: accessKeyId, BLOB_STORE_S3_SECRET_ACCESS_KEY: secretAccessKey } = env;
  const prefix = url.pathname.replace(/^\/+|\/+$/g, "");
  const endpoint = url.searchParams.get("endpoint") ?? undefined;
  return {
    kind: "s3",
    bucket: url.hostname,
    prefix: prefix === "" ? "" : `${prefix}/`,
    endpoint,
    region: url.searchParams.get("region") ?? "us-east-1",
    // Servers other than Amazon's are seldom reachable under a name for each bucket.
    pathStyle: (url.searchParams.get("path_style") ?? String(endpoint !== undefined)) === "true",
    credentials: accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : undefined,
  };
}
