import { startRedis, waitFor } from "@forebay/test-harness";
import OpenAI, { toFile } from "openai";
import { expect, test } from "vitest";
import { createLiveStack, model } from "./live-fixture.ts";

const lines = 1_000;
/** One in a hundred. */
const isBad = (n: number): boolean => n % 100 === 7;

test("a batch adds up exactly after its runner was killed twice, and Redis and a worker once", async () => {
  await using redis = await startRedis();
  await using live = await createLiveStack(redis.url, { tokensPerS: 100_000, loadMs: 1, numParallel: 8 });
  const worker = { WORKER_CONCURRENCY: "8", WORKER_LOCK_MS: "2000", WORKER_STALLED_CHECK_MS: "500" };
  const [api, firstWorker, firstRunner] = await Promise.all([
    live.startApi(),
    live.startWorker(worker),
    live.startBatchRunner({ BATCH_FLUSH_MS: "50" }),
  ]);
  const client = new OpenAI({ baseURL: `${api.url}/v1`, apiKey: "none", maxRetries: 5 });
  const texts = Array.from({ length: lines }, (_, n) => {
    const messages = [{ role: "user", content: `Question ${n}` }];
    const body = { model, messages, max_completion_tokens: 1, ...(isBad(n) && { temperature: "hot" }) };
    return JSON.stringify({ custom_id: `line-${n}`, method: "POST", url: "/v1/chat/completions", body });
  });
  const file = await toFile(Buffer.from(texts.join("\n")), "requests.jsonl");
  const { id: input_file_id } = await client.files.create({ file, purpose: "batch" });
  const endpoint = "/v1/chat/completions";
  const { id } = await waitFor(
    () => client.batches.create({ input_file_id, endpoint, completion_window: "24h" }),
    { what: "the worker has announced its model", timeoutMs: 10_000 },
  );

  const written = (share: number) =>
    waitFor(
      async () => {
        const { request_counts: counts } = await client.batches.retrieve(id);
        return (counts?.completed ?? 0) + (counts?.failed ?? 0) >= lines * share;
      },
      { what: `${share} of the lines are written`, timeoutMs: 60_000 },
    );
  await written(0.1);
  await firstRunner.kill("SIGKILL");
  const secondRunner = await live.startBatchRunner({ BATCH_FLUSH_MS: "50" });
  await written(0.3);
  await firstWorker.kill("SIGKILL");
  await redis.kill("SIGKILL");
  await redis.restart();
  await live.startWorker(worker);
  await written(0.6);
  await secondRunner.kill("SIGKILL");
  await live.startBatchRunner({ BATCH_FLUSH_MS: "50" });

  const batch = await waitFor(
    async () => {
      const now = await client.batches.retrieve(id);
      return now.status === "completed" ? now : undefined;
    },
    { what: "the batch is completed", timeoutMs: 60_000 },
  );
  const bad = Array.from({ length: lines }, (_, n) => n).filter(isBad).length;
  expect(batch.request_counts).toEqual({ total: lines, completed: lines - bad, failed: bad });
  const idsIn = async (fileId: string | undefined): Promise<string[]> => {
    const text = await (await client.files.content(fileId ?? "")).text();
    const entries = text.trimEnd().split("\n");
    return entries.map((entry) => (JSON.parse(entry) as { custom_id: string }).custom_id);
  };
  const [done, failed] = [await idsIn(batch.output_file_id), await idsIn(batch.error_file_id)];
  expect([done.length, failed.length]).toEqual([lines - bad, bad]);
  expect(new Set([...done, ...failed]).size).toBe(lines);
  expect(failed.every((name) => isBad(Number(name.slice("line-".length))))).toBe(true);
}, 150_000);
