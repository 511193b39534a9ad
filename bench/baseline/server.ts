// The service every BullMQ tutorial builds: Express in front, one queue, state and result by id.
import { Queue } from "bullmq";
import express from "express";
import { Redis } from "ioredis";

const connection = new Redis(process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379", {
  maxRetriesPerRequest: null,
});
const queue = new Queue("ollama", { connection });
const app = express();
app.use(express.json({ limit: "1mb" }));

app.post("/jobs", async (req, res) => {
  const { model, prompt } = req.body as { model?: string; prompt?: string };
  if (!model || !prompt) {
    res.status(400).json({ error: "model and prompt are required" });
    return;
  }
  const job = await queue.add(
    "generate",
    { model, prompt },
    {
      attempts: 3,
      backoff: { type: "exponential", delay: 1000 },
      removeOnComplete: { age: 24 * 3600, count: 10_000 },
      removeOnFail: { age: 7 * 24 * 3600 },
    },
  );
  res.status(202).json({ id: job.id, state: "waiting" });
});

app.get("/jobs/:id", async (req, res) => {
  const job = await queue.getJob(req.params.id);
  if (!job) {
    res.status(404).json({ error: "job not found" });
    return;
  }
  const state = await job.getState();
  res.json({ id: job.id, state, result: job.returnvalue as unknown, failedReason: job.failedReason });
});

const server = app.listen(Number(process.env["PORT"] ?? 3000), "127.0.0.1", () => console.log("listening"));
process.once("SIGTERM", () => server.close(() => connection.disconnect()));
