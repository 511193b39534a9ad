import { setTimeout as pause } from "node:timers/promises";
import { cancelJob, type QueueSpace } from "@forebay/queue-bullmq";
import { waitFor } from "@forebay/test-harness";
import { atMost, type Figure } from "../figure.ts";
import { addWaitingJobs } from "../streams/add-waiting-jobs.ts";
import { openStreamClient, type StreamClient } from "../streams/open-stream-client.ts";
import { readCpuMs } from "../systems/read-cpu-ms.ts";
import { readResidentMb } from "../systems/read-resident-mb.ts";
import { startBenchRedis } from "../systems/start-bench-redis.ts";
import { openForebay } from "../systems/start-forebay.ts";
import type { Part } from "./part.ts";

const count = 5_000;
const idleMs = 5_000;
/** Whatever is held, all of it is answered within this, once the jobs have ended. */
const endMs = 60_000;

/** What 5,000 open event streams, and then 5,000 waiting requests, cost one API process. */
export const measureStreams: Part = async ({ say }) => {
  const figures: Figure[] = [];
  for (const [name, path, until] of [
    ["event streams", (id: string) => `/jobs/${id}/events`, "begun"],
    ["waiters", (id: string) => `/jobs/${id}?wait=60`, "connected"],
  ] as const) {
    await using redis = await startBenchRedis();
    await using forebay = await openForebay(redis.url);
    await using api = await forebay.startApi();
    await using client = openStreamClient();
    const { space, headers } = forebay;
    const jobs = await addWaitingJobs(space, count);
    const before = await readResidentMb(api.pid);
    await client.open({ origin: api.url, paths: jobs.map(({ id }) => path(id)), headers }, until);
    await waitFor(async () => (await subscriptions(space)) === count, {
      what: `${count} ${name} are open`,
      timeoutMs: endMs,
    });
    say(`${count} ${name} are open`);
    const cpuBefore = await readCpuMs(api.pid);
    await pause(idleMs);
    const idleCpu = ((await readCpuMs(api.pid)) - cpuBefore) / idleMs;
    const held = await readResidentMb(api.pid);
    const connections = await apiConnections(space);

    await endAll(space, jobs, client);
    const peak = await readResidentMb(api.pid);
    const memory = { value: Math.max(held, peak), target: atMost(400, "MB") };
    figures.push(
      { name: `${count} ${name}, RSS of the API`, unit: "MB", forebay: memory.value, judged: memory },
      {
        name: `${count} ${name}, its connections to Redis`,
        unit: "",
        forebay: connections,
        judged: { value: connections, target: atMost(5, "") },
      },
      {
        name: `${count} ${name}, its CPU while nothing happens`,
        unit: "% of a core",
        forebay: idleCpu * 100,
        details: { beforeMb: before, heldMb: held, afterMb: peak },
      },
    );
  }
  return figures;
};

/** Every stream and every waiter gets its job's end. */
async function endAll(
  space: QueueSpace,
  jobs: readonly { id: string; queueName: string }[],
  client: StreamClient,
): Promise<void> {
  for (let from = 0; from < jobs.length; from += 100) {
    const batch = jobs.slice(from, from + 100);
    await Promise.all(batch.map((job) => cancelJob(space, { ...job, tenant: "bench" })));
  }
  const ended = async () => {
    const { bytes } = await client.read();
    const open = await subscriptions(space);
    return open === 0 && bytes > 0;
  };
  await waitFor(ended, { what: "all have been answered", timeoutMs: endMs });
}

/** Jobs that are followed now, by all processes together. */
async function subscriptions({ client, prefix }: QueueSpace): Promise<number> {
  return (await client.pubsub("CHANNELS", `${prefix}:live:*`)).length;
}

async function apiConnections({ client }: QueueSpace): Promise<number> {
  const list = String(await client.client("LIST"));
  return list.split("\n").filter((line) => line.includes(" name=forebay-api")).length;
}
