import { createBatchStore, type QueueSpace } from "@forebay/queue-bullmq";
import { waitFor } from "@forebay/test-harness";
import { atLeast, atMost, type Figure } from "../figure.ts";
import { readResidentMb } from "../systems/read-resident-mb.ts";
import { startBenchRedis } from "../systems/start-bench-redis.ts";
import { type Forebay, model, openForebay } from "../systems/start-forebay.ts";
import { type Part, prompt } from "./part.ts";

const lines = 50_000;
const fileBytes = 200 * 1024 * 1024;
/** Lines of the batch that is run to its end, one in a hundred of them bad, its runner killed twice. */
const runLines = 50_000;

/** Files and batches: how fast lines are taken in, what an upload costs the API, and whether it all adds up. */
export const measureBatches: Part = async ({ ollama, say }) => {
  const ingested = await measureIngest();
  say("ingested");
  const uploaded = await measureUpload();
  say("uploaded and read back");
  return [...ingested, ...uploaded, await measureRun(ollama.url)];
};

/** From the making of a batch until all its lines were read twice and their jobs are on the queue. */
async function measureIngest(): Promise<Figure[]> {
  await using redis = await startBenchRedis();
  await using forebay = await openForebay(redis.url);
  await using api = await forebay.startApi();
  const limits = { BATCH_LINES_IN_FLIGHT_MAX: "100000", BATCH_LINES_IN_FLIGHT_TOTAL_MAX: "100000" };
  await using _runner = await forebay.startBatchRunner({ ...limits, API_TENANT_JOBS_OPEN_MAX: "10000000" });
  const fileId = await upload(
    api.url,
    forebay,
    requestLines(lines, () => false),
  );
  const startedAt = performance.now();
  const id = await createBatch(api.url, forebay, fileId);
  const store = createBatchStore(forebay.space);
  const often = { timeoutMs: 120_000 };
  await waitFor(async () => (await store.find(id))?.status === "in_progress", {
    ...often,
    what: "validated",
  });
  const validatedAt = performance.now();
  await waitFor(async () => (await waitingJobs(forebay.space)) === lines, { ...often, what: "all are put" });
  const perS = (lines * 1_000) / (performance.now() - startedAt);
  const details = { validatedPerS: (lines * 1_000) / (validatedAt - startedAt) };
  return [
    {
      name: "Lines of a batch validated",
      unit: "lines/s",
      forebay: details.validatedPerS,
    },
    {
      name: "Lines of a batch validated, and put as jobs",
      unit: "lines/s",
      forebay: perS,
      judged: { value: perS, target: atLeast(5_000, "lines/s") },
      details,
    },
  ];
}

async function waitingJobs({ client, prefix }: QueueSpace): Promise<number> {
  const [key] = await client.keys(`${prefix}:{infer*}:prioritized`);
  return key === undefined ? 0 : client.zcard(key);
}

/** How much more memory the API takes for 200 MB than for a tenth of that, in and out. */
async function measureUpload(): Promise<Figure[]> {
  await using redis = await startBenchRedis();
  await using forebay = await openForebay(redis.url);
  await using api = await forebay.startApi();
  const idle = await readResidentMb(api.pid);
  // What a stream takes, however long it is: buffers under way, and garbage until it is collected.
  const small = await passThrough(api, forebay, fileBytes / 10);
  const large = await passThrough(api, forebay, fileBytes);
  const growth = large.peakMb - small.peakMb;
  const megabytes = fileBytes / 1024 / 1024;
  return [
    {
      name: "Memory of the API for a file of 200 MB, over that for 20 MB",
      unit: "MB",
      forebay: growth,
      judged: { value: growth, target: atMost(32, "MB") },
      details: { idle, small, large },
    },
    { name: "Memory of the API with 200 MB passing, over idle", unit: "MB", forebay: large.peakMb - idle },
    { name: "Upload", unit: "MB/s", forebay: (megabytes * 1_000) / large.uploadMs },
    { name: "Reading back", unit: "MB/s", forebay: (megabytes * 1_000) / large.readMs },
  ];
}

async function passThrough(
  api: { url: string; pid: number },
  forebay: Forebay,
  bytes: number,
): Promise<{ peakMb: number; uploadMs: number; readMs: number }> {
  const chunk = Buffer.alloc(64 * 1024, "x");
  const content = function* (): Generator<Buffer> {
    for (let sent = 0; sent < bytes; sent += chunk.length) yield chunk;
  };
  let peakMb = 0;
  const sampling = setInterval(() => {
    void readResidentMb(api.pid).then((now) => (peakMb = Math.max(peakMb, now)));
  }, 20);
  const startedAt = performance.now();
  const fileId = await upload(api.url, forebay, content());
  const uploadedAt = performance.now();
  const { headers } = forebay;
  const answer = await fetch(`${api.url}/v1/files/${fileId}/content`, { headers });
  let read = 0;
  for await (const part of answer.body ?? []) read += (part as Uint8Array).length;
  const readAt = performance.now();
  clearInterval(sampling);
  if (read !== bytes) throw new Error(`${read} bytes of ${bytes} came back`);
  return { peakMb, uploadMs: uploadedAt - startedAt, readMs: readAt - uploadedAt };
}

/** A whole batch, with all there is around it killed now and then; throws unless it adds up exactly. */
async function measureRun(ollamaUrl: string): Promise<Figure> {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startBenchRedis());
  const forebay = stack.use(await openForebay(redis.url));
  const api = stack.use(await forebay.startApi());
  stack.use(await forebay.startWorker(ollamaUrl, 16));
  const locks = { BATCH_LOCK_MS: "2000", BATCH_STALLED_CHECK_MS: "500" };
  const startRunner = async () => stack.use(await forebay.startBatchRunner(locks));
  const isBad = (line: number): boolean => line % 100 === 0;
  const fileId = await upload(api.url, forebay, requestLines(runLines, isBad));
  const store = createBatchStore(forebay.space);
  const startedAt = performance.now();
  const id = await createBatch(api.url, forebay, fileId);
  const written = (share: number) =>
    waitFor(
      async () => {
        const batch = await store.find(id);
        return batch !== undefined && batch.completed + batch.failed >= runLines * share;
      },
      { what: `${share} of the lines are written`, timeoutMs: 300_000 },
    );
  for (const share of [0.3, 0.6]) {
    const runner = await startRunner();
    await written(share);
    await runner.kill("SIGKILL");
  }
  await startRunner();
  await waitFor(async () => (await store.find(id))?.status === "completed", {
    what: "the batch is completed",
    timeoutMs: 300_000,
  });
  const perS = (runLines * 1_000) / (performance.now() - startedAt);
  const batch = await store.find(id);
  const bad = runLines / 100;
  const counts = await Promise.all(
    [batch?.output_file_id, batch?.error_file_id].map((file) => countIds(api.url, forebay, file ?? "")),
  );
  if (counts[0] !== runLines - bad || counts[1] !== bad) throw new Error(`it does not add up: ${counts}`);
  return { name: `A batch of ${runLines} lines, its runner killed twice`, unit: "lines/s", forebay: perS };
}

/** Different custom_ids of a file. Throws if one comes twice. */
async function countIds(apiUrl: string, { headers }: Forebay, fileId: string): Promise<number> {
  const text = await (await fetch(`${apiUrl}/v1/files/${fileId}/content`, { headers })).text();
  const entries = text.trimEnd().split("\n");
  const ids = new Set(entries.map((entry) => (JSON.parse(entry) as { custom_id: string }).custom_id));
  if (ids.size !== entries.length) throw new Error("a custom_id comes twice");
  return ids.size;
}

function* requestLines(count: number, isBad: (line: number) => boolean): Generator<string> {
  for (let line = 0; line < count; line++) {
    const text = prompt.replace("#", String(line));
    const body = { model, prompt: text, max_tokens: 20, ...(isBad(line) && { temperature: "hot" }) };
    const request = { custom_id: `line-${line}`, method: "POST", url: "/v1/completions", body };
    yield `${JSON.stringify(request)}\n`;
  }
}

async function upload(
  apiUrl: string,
  { headers }: Forebay,
  content: Iterable<string | Buffer>,
): Promise<string> {
  const form = async function* (): AsyncGenerator<Uint8Array> {
    const disposition = "Content-Disposition: form-data; name=";
    yield Buffer.from(`--b\r\n${disposition}"purpose"\r\n\r\nbatch\r\n`);
    yield Buffer.from(`--b\r\n${disposition}"file"; filename="f.jsonl"\r\n\r\n`);
    for (const piece of content) yield Buffer.from(piece);
    yield Buffer.from("\r\n--b--\r\n");
  };
  const answer = await fetch(`${apiUrl}/v1/files`, {
    method: "POST",
    headers: { ...headers, "content-type": "multipart/form-data; boundary=b" },
    body: ReadableStream.from(form()),
    duplex: "half",
  });
  return idOf(answer);
}

async function createBatch(apiUrl: string, { headers }: Forebay, fileId: string): Promise<string> {
  const body = { input_file_id: fileId, endpoint: "/v1/completions", completion_window: "24h" };
  const answer = await fetch(`${apiUrl}/v1/batches`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return idOf(answer);
}

async function idOf(answer: Response): Promise<string> {
  const { id } = (await answer.json()) as { id?: string };
  if (id === undefined) throw new Error(`the API answered ${answer.status}`);
  return id;
}
