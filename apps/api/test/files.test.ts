import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { waitFor } from "@forebay/test-harness";
import OpenAI, { toFile } from "openai";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type ApiFixture, createApiFixture } from "./api-fixture.ts";

const bytesMax = 300_000;
let api: ApiFixture;
let client: OpenAI;
let stranger: OpenAI;
let headers: Record<string, string>;
beforeAll(async () => {
  api = await createApiFixture(inject("redisUrl"), { API_FILE_BYTES_MAX: String(bytesMax) });
  const as = (given: Record<string, string>) =>
    new OpenAI({
      baseURL: `${api.url}/v1`,
      apiKey: (given["authorization"] ?? "").replace("Bearer ", ""),
      maxRetries: 0,
    });
  headers = await api.withKey();
  client = as(headers);
  stranger = as(await api.withKey({ tenant: "others" }));
});
afterAll(() => api[Symbol.asyncDispose]());

/** Blobs, whole or half, of all files. */
async function blobs(): Promise<string[]> {
  const names = await readdir(path.join(api.dataDir, "blobs"), {
    recursive: true,
    withFileTypes: true,
  }).catch(() => []);
  return names.filter((each) => each.isFile()).map((each) => path.join(each.parentPath, each.name));
}
const upload = (content: Buffer, more = {}) =>
  toFile(content, "péché.jsonl").then((file) => client.files.create({ file, purpose: "batch", ...more }));
const refused = (call: Promise<unknown>) => call.catch((error: unknown) => error);

test("a file comes back as it was sent, is listed, and is gone once deleted", async () => {
  const content = Buffer.alloc(bytesMax, "0123456789\n");
  const file = await upload(content);
  expect(file).toMatchObject({ object: "file", bytes: bytesMax, filename: "péché.jsonl", purpose: "batch" });
  expect(await client.files.retrieve(file.id)).toEqual(file);
  const answer = await client.files.content(file.id);
  expect(Buffer.from(await answer.arrayBuffer()).equals(content)).toBe(true);
  expect((await client.files.list()).data.map((each) => each.id)).toEqual([file.id]);

  for (const call of [stranger.files.retrieve(file.id), stranger.files.content(file.id)]) {
    expect(await refused(call)).toMatchObject({ status: 404, code: "file_not_found" });
  }
  expect(await refused(stranger.files.delete(file.id))).toMatchObject({ status: 404 });
  expect((await stranger.files.list()).data).toEqual([]);

  expect(await client.files.delete(file.id)).toEqual({ id: file.id, object: "file", deleted: true });
  expect(await refused(client.files.retrieve(file.id))).toMatchObject({ status: 404 });
  expect(await blobs()).toEqual([]);
});

test("a file expires when it was said to", async () => {
  const file = await upload(Buffer.from("x"), { expires_after: { anchor: "created_at", seconds: 3_600 } });
  expect(file.expires_at).toBe(file.created_at + 3_600);
  await client.files.delete(file.id);
});

describe("what is refused leaves nothing behind:", () => {
  const form = (parts: Record<string, string | Blob>) => {
    const data = new FormData();
    for (const [name, value] of Object.entries(parts)) data.append(name, value);
    return data;
  };
  const file = new Blob(["{}\n"]);
  test.each<[string, () => FormData | string, Record<string, string>, number, string | null]>([
    [
      "a file too large",
      () => form({ file: new Blob([Buffer.alloc(bytesMax + 1)]), purpose: "batch" }),
      {},
      413,
      "file",
    ],
    ["no file", () => form({ purpose: "batch" }), {}, 400, "file"],
    ["a file in another part", () => form({ document: file, purpose: "batch" }), {}, 400, "file"],
    ["an empty file", () => form({ file: new Blob([]), purpose: "batch" }), {}, 400, "file"],
    ["no purpose", () => form({ file }), {}, 400, "purpose"],
    ["another purpose", () => form({ file, purpose: "fine-tune" }), {}, 400, "purpose"],
    [
      "half an expiry",
      () => form({ file, purpose: "batch", "expires_after[seconds]": "9" }),
      {},
      400,
      "expires_after",
    ],
    ["JSON", () => "{}", { "content-type": "application/json" }, 415, null],
    ["no boundary", () => "x", { "content-type": "multipart/form-data; x=y" }, 400, null],
    ["no form", () => "x", { "content-type": "multipart/form-data; boundary=b" }, 400, null],
    [
      "half a form",
      () => '--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nhalf',
      { "content-type": "multipart/form-data; boundary=b" },
      400,
      null,
    ],
  ])("%s", async (_, body, more, status, param) => {
    const answer = await fetch(`${api.url}/v1/files`, {
      method: "POST",
      headers: { ...headers, ...more },
      body: body(),
    });
    expect([answer.status, await answer.json()]).toEqual([
      status,
      { error: expect.objectContaining({ message: expect.any(String), param }) as unknown },
    ]);
    expect(await blobs()).toEqual([]);
  });

  test("an upload that is cut in the middle", async () => {
    const { hostname, port } = new URL(api.url);
    const socket = connect(Number(port), hostname);
    const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(
      `POST /v1/files HTTP/1.1\r\nHost: x\r\n${head.join("")}Content-Type: multipart/form-data; boundary=b\r\n` +
        `Content-Length: 100000\r\n\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nhalf\r\n`,
    );
    await waitFor(async () => (await blobs()).length === 1, { what: "half of the file is there" });
    socket.destroy();
    await waitFor(async () => (await blobs()).length === 0, { what: "it is gone" });
    expect((await client.files.list()).data).toEqual([]);
  });
});

test.each(["nonsense", "file-00000000000000000000000000000000", "%2e%2e"])(
  "there is no file %s",
  async (id) => {
    for (const [method, tail] of [
      ["GET", ""],
      ["GET", "/content"],
      ["DELETE", ""],
    ] as const) {
      expect((await api.call(method, `/v1/files/${id}${tail}`, { headers })).status).toBe(404);
    }
  },
);

describe("batches", () => {
  const batch = { endpoint: "/v1/chat/completions", completion_window: "24h" } as const;

  test("one idempotency key makes one batch, and another request with it is refused", async () => {
    const { id } = await upload(Buffer.from("{}\n"));
    const body = { ...batch, input_file_id: id };
    const once = { headers: { "idempotency-key": "once" } };
    const first = await client.batches.create(body, once);
    expect((await client.batches.create(body, once)).id).toBe(first.id);
    const other = client.batches.create({ ...body, metadata: { a: "b" } }, once);
    expect(await refused(other)).toMatchObject({ status: 422, code: "idempotency_mismatch" });
    expect((await client.batches.list()).data).toHaveLength(1);

    for (const call of [stranger.batches.retrieve(first.id), stranger.batches.cancel(first.id)]) {
      expect(await refused(call)).toMatchObject({ status: 404, code: "batch_not_found" });
    }
    expect(await refused(stranger.batches.create(body))).toMatchObject({
      status: 404,
      param: "input_file_id",
    });
    const early = client.post(`/batches/${first.id}/retry`);
    expect(await refused(early)).toMatchObject({ status: 409, code: "batch_not_over" });
  });

  test("a key without the lane batch makes none", async () => {
    const limited = await api.withKey({ lanes: ["standard"], default_lane: "standard" });
    const { id } = await upload(Buffer.from("{}\n"));
    const answer = await api.call("POST", "/v1/batches", {
      headers: limited,
      body: { ...batch, input_file_id: id },
    });
    expect(answer.status).toBe(403);
  });

  test.each([
    [{ completion_window: "1h" }, "completion_window"],
    [{ endpoint: "/v1/images" }, "endpoint"],
    [{ input_file_id: 7 }, "input_file_id"],
    [{ metadata: { a: 1 } }, "metadata.a"],
    [{ output_expires_after: { anchor: "created_at", seconds: 1 } }, "output_expires_after.seconds"],
  ])("%j is refused by name", async (fields, param) => {
    const body = { ...batch, input_file_id: "file-00000000000000000000000000000000", ...fields };
    const { status, text } = await api.call("POST", "/v1/batches", { headers, body });
    expect([status, JSON.parse(text)]).toMatchObject([400, { error: { param } }]);
  });

  test.each([
    "/v1/batches?limit=0",
    "/v1/batches?limit=101",
    "/v1/batches?after=x",
    "/v1/batches?order=up",
    "/v1/files?purpose=x",
    "/v1/files?nonsense=1",
  ])("GET %s is refused", async (url) => expect((await api.call("GET", url, { headers })).status).toBe(400));

  test.each(["nonsense", "batch_00000000000000000000000000000000"])("there is no batch %s", async (id) => {
    for (const [method, tail] of [
      ["GET", ""],
      ["POST", "/cancel"],
      ["POST", "/retry"],
    ] as const) {
      expect((await api.call(method, `/v1/batches/${id}${tail}`, { headers })).status).toBe(404);
    }
  });
});

test("while files cannot be stored an upload is refused, to be tried again", async () => {
  // A file where the folder should be.
  const data = await mkdtemp(path.join(tmpdir(), "forebay-no-store-"));
  await writeFile(path.join(data, "blobs"), "");
  const broken = await api.startReplica({ FOREBAY_DATA_DIR: data });
  const other = new OpenAI({ baseURL: `${broken.url}/v1`, apiKey: client.apiKey, maxRetries: 0 });
  const file = await toFile(Buffer.from("{}\n"), "f.jsonl");
  const refusal = await refused(other.files.create({ file, purpose: "batch" }));
  expect(refusal).toMatchObject({ status: 503, code: "storage_unavailable" });
  await broken[Symbol.asyncDispose]();
  await rm(data, { recursive: true });
});
