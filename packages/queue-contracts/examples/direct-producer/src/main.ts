// node src/main.ts "Why is the sky blue?" llama3.2:3b
import { Redis } from "ioredis";
import { awaitAnswer, JobFailedError } from "./await-answer.ts";
import { putJob } from "./put-job.ts";

const [question = "Why is the sky blue?", model = "llama3.2:3b"] = process.argv.slice(2);
const prefix = process.env["FOREBAY_KEY_PREFIX"] ?? "forebay";
const redis = new Redis(process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379", { maxRetriesPerRequest: null });

try {
  const put = await putJob({ redis, prefix }, question, model);
  console.log(`job ${put.job.id} on ${put.queueName}`);
  const result = await awaitAnswer({ redis, prefix }, put, 60_000);
  if (result.type === "generate") console.log(result.response);
} catch (error) {
  if (!(error instanceof JobFailedError)) throw error;
  console.error(`failed: ${error.code}: ${error.message}`);
  process.exitCode = 1;
} finally {
  redis.disconnect();
}
