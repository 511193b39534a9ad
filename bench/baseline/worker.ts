// The worker of the same tutorial: take a job, ask Ollama for the whole answer, return it.
import { Worker } from "bullmq";
import { Redis } from "ioredis";

const connection = new Redis(process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379", {
  maxRetriesPerRequest: null,
});
const ollamaUrl = process.env["OLLAMA_URL"] ?? "http://127.0.0.1:11434";

const worker = new Worker<{ model: string; prompt: string; options?: object }>(
  "ollama",
  async (job) => {
    const response = await fetch(`${ollamaUrl}/api/generate`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...job.data, stream: false }),
    });
    if (!response.ok) throw new Error(`Ollama answered ${response.status}`);
    const answer = (await response.json()) as { response: string; eval_count: number };
    return { response: answer.response, tokens: answer.eval_count };
  },
  { connection, concurrency: Number(process.env["CONCURRENCY"] ?? 1) },
);
worker.on("failed", (job, error) => console.error(`job ${job?.id} failed: ${error.message}`));

await worker.waitUntilReady();
console.log("working");
process.once("SIGTERM", () => void worker.close().then(() => connection.disconnect()));
