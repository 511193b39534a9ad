import { setTimeout as pause } from "node:timers/promises";
import { type ServiceName, startService } from "@forebay/test-harness";
import { atMost, type Figure } from "../figure.ts";
import { startBaselineServer, startBaselineWorker } from "../systems/start-baseline.ts";
import { startBenchRedis } from "../systems/start-bench-redis.ts";
import { readResidentMb } from "../systems/read-resident-mb.ts";
import { prefix } from "../systems/start-forebay.ts";
import type { Part } from "./part.ts";

const serviceNames: readonly ServiceName[] = ["api", "worker", "dlq-handler", "batch-runner", "dashboard"];
/** Past the start, with a few rounds of whatever a service does while there is nothing to do. */
const idleMs = 6_000;

/** Resident memory of every service while idle. */
export const measureMemory: Part = async ({ ollama, say }) => {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startBenchRedis());
  const env = { REDIS_URL: redis.url, FOREBAY_KEY_PREFIX: prefix, OLLAMA_URLS: ollama.url };
  const services = [];
  for (const name of serviceNames) services.push(stack.use(await startService(name, env)));
  const server = stack.use(await startBaselineServer(redis.url));
  const worker = stack.use(await startBaselineWorker(redis.url, ollama.url, 1));
  say(`idle for ${idleMs / 1_000} s`);
  await pause(idleMs);

  const theirs: Record<string, number> = {
    api: await readResidentMb(server.pid),
    worker: await readResidentMb(worker.pid),
  };
  const figures: Figure[] = [];
  for (const { name, pid } of services) {
    const megabytes = await readResidentMb(pid);
    const judged = { value: megabytes, target: atMost(120, "MB") };
    figures.push({
      name: `RSS of an idle ${name}`,
      unit: "MB",
      forebay: megabytes,
      baseline: theirs[name],
      judged,
    });
  }
  return figures;
};
