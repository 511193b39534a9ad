import { expect, test } from "vitest";
import { z } from "zod";
import { blobStoreEnvShape, blobStoreSettings } from "./blob-store-settings.ts";

const schema = z.object(blobStoreEnvShape);
const settings = (env: Record<string, string>) => blobStoreSettings(schema.parse(env));

test("nothing need be set: blobs are in a folder of the data directory", () => {
  expect(settings({ FOREBAY_DATA_DIR: "/var/lib/x y" })).toEqual({
    kind: "folder",
    url: "file:///var/lib/x%20y/blobs",
  });
});

test.each([
  ["file:///srv/blobs", { kind: "folder", url: "file:///srv/blobs" }],
  [
    "s3://bucket",
    { bucket: "bucket", prefix: "", endpoint: undefined, region: "us-east-1", pathStyle: false },
  ],
  ["s3://bucket/a/b/?region=eu-west-1", { prefix: "a/b/", region: "eu-west-1" }],
  ["s3://b?endpoint=https://s3.example.com", { endpoint: "https://s3.example.com", pathStyle: true }],
  ["s3://b?endpoint=https://s3.example.com&path_style=false", { pathStyle: false }],
])("%s", (url, expected) => {
  expect(settings({ BLOB_STORE_URL: url })).toMatchObject(expected);
});

test("a key needs its secret; without both the SDK looks by itself", () => {
  const url = { BLOB_STORE_URL: "s3://b", BLOB_STORE_S3_ACCESS_KEY_ID: "id" };
  expect(settings(url)).toMatchObject({ credentials: undefined });
  const both = { ...url, BLOB_STORE_S3_SECRET_ACCESS_KEY: "secret" };
  expect(settings(both)).toMatchObject({ credentials: { accessKeyId: "id", secretAccessKey: "secret" } });
});

test.each(["/srv/blobs", "http://bucket", "nonsense"])("%s is refused", (url) => {
  expect(schema.safeParse({ BLOB_STORE_URL: url }).success).toBe(false);
});
