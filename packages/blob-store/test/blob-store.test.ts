import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BlobMissingError, type BlobStore, openBlobStore } from "../src/index.ts";
import { type S3Sandbox, startS3 } from "./start-s3.ts";

let dir: string;
let s3: S3Sandbox;
const stores: Record<string, BlobStore> = {};
const store = (kind: string): BlobStore => stores[kind] ?? expect.fail(kind);

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), "forebay-blobs-"));
  s3 = await startS3();
  stores["folder"] = openBlobStore({ kind: "folder", url: pathToFileURL(path.join(dir, "blobs")).href });
  stores["s3"] = openBlobStore({
    kind: "s3",
    bucket: s3.bucket,
    prefix: "pre/fix/",
    endpoint: s3.endpoint,
    region: "us-east-1",
    pathStyle: true,
    credentials: Object.freeze(s3.credentials),
  });
});
afterAll(async () => {
  await Promise.all(Object.values(stores).map((each) => each[Symbol.asyncDispose]()));
  await s3.stop();
  await rm(dir, { recursive: true, force: true });
});

/** More than two of S3's parts. */
const large = randomBytes(11 * 1024 * 1024);

/** Everything that is left of blobs, whole or not. */
async function leftOvers(kind: string): Promise<number> {
  if (kind === "s3") return s3.countUploads();
  return (await readdir(path.join(dir, "blobs", ".parts")).catch(() => [])).length;
}

describe.each(["folder", "s3"])("%s", (kind) => {
  test("what was put comes back, whole and in part", async () => {
    const blobs = store(kind);
    const chunks = Array.from({ length: 11 }, (_, n) => large.subarray(n * 2 ** 20, (n + 1) * 2 ** 20));
    expect(await blobs.put("a/large", Readable.from(chunks))).toBe(large.length);
    expect((await buffer(await blobs.get("a/large"))).equals(large)).toBe(true);
    const part = await buffer(await blobs.get("a/large", { start: 5, end: 9 }));
    expect(part.equals(large.subarray(5, 10))).toBe(true);
    const rest = await buffer(await blobs.get("a/large", { start: large.length - 3 }));
    expect(rest.equals(large.subarray(-3))).toBe(true);
    expect(await blobs.stat("a/large")).toMatchObject({ bytes: large.length });
  });

  test("an empty blob is a blob", async () => {
    expect(await store(kind).put("a/empty", Readable.from([]))).toBe(0);
    expect(await store(kind).stat("a/empty")).toMatchObject({ bytes: 0 });
  });

  test("a source that breaks off leaves neither a blob nor a part of one", async () => {
    const breaks = async function* (): AsyncGenerator<Buffer> {
      yield large;
      await Promise.resolve();
      throw new Error("cut");
    };
    await expect(store(kind).put("a/broken", breaks())).rejects.toThrow("cut");
    expect(await store(kind).stat("a/broken")).toBeUndefined();
    expect(await leftOvers(kind)).toBe(0);
  });

  test("a blob that is not there is said to be missing, and deleting it is no error", async () => {
    await expect(store(kind).get("a/none")).rejects.toThrow(BlobMissingError);
    expect(await store(kind).stat("a/none")).toBeUndefined();
    await store(kind).delete("a/none");
  });

  test("a list has the blobs under a prefix and no others, and what is deleted is gone from it", async () => {
    for (const key of ["list/one", "list/two", "other/three"]) await store(kind).put(key, Readable.from([]));
    await store(kind).delete("list/one");
    const keys: string[] = [];
    for await (const { key } of store(kind).list("list/")) keys.push(key);
    expect(keys).toEqual(["list/two"]);
  });

  test.each(["../x", "/x", "a//b", "a/../b", ".parts/x", "a b", ""])("%j is no key", async (key) => {
    await expect(store(kind).put(key, Readable.from([]))).rejects.toThrow(TypeError);
  });
});

test("halves of blobs whose writer died are swept once they are old", async () => {
  const hangs = new Readable({ read: () => undefined });
  const put = store("folder").put("a/hanging", hangs);
  hangs.push(Buffer.from("half"));
  const seen = async () => expect(await leftOvers("folder")).toBe(1);
  await expect.poll(() => leftOvers("folder")).toBe(1);
  await store("folder").sweep(60_000);
  await seen();
  await store("folder").sweep(-1);
  expect(await leftOvers("folder")).toBe(0);
  hangs.destroy(new Error("over"));
  await expect(put).rejects.toThrow("over");
});
