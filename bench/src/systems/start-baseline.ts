import { fileURLToPath } from "node:url";
import { freePort, type ProcessHandle, startProcess } from "@forebay/test-harness";

const file = (name: string): string => fileURLToPath(new URL(`../../baseline/${name}`, import.meta.url));

export async function startBaselineServer(redisUrl: string): Promise<ProcessHandle & { url: string }> {
  const port = await freePort();
  const env = { REDIS_URL: redisUrl, PORT: String(port), NODE_ENV: "production" };
  const process = await startProcess({ file: file("server.ts"), env, ready: /listening/ });
  return { ...process, url: `http://127.0.0.1:${port}` };
}

export function startBaselineWorker(
  redisUrl: string,
  ollamaUrl: string,
  concurrency: number,
): Promise<ProcessHandle> {
  const env = {
    REDIS_URL: redisUrl,
    OLLAMA_URL: ollamaUrl,
    CONCURRENCY: String(concurrency),
    NODE_ENV: "production",
  };
  return startProcess({ file: file("worker.ts"), env, ready: /working/ });
}
