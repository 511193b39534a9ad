import {
  appendFenced,
  createQueueDirectory,
  fairKeys,
  noteDispatch,
  type QueueSpace,
  submitJob,
} from "@forebay/queue-bullmq";
import {
  affinityOf,
  createJobId,
  defaultDeliveryPolicy,
  inferenceJobSchema,
  queueTag,
} from "@forebay/queue-contracts";

/** One job somebody puts at a moment of virtual time. */
export type Arrival = {
  readonly atMs: number;
  readonly tenant: string;
  readonly user?: string | undefined;
  readonly lane?: "interactive" | "standard" | "batch" | undefined;
  readonly weight?: number | undefined;
  /** What Forebay expects, and what it takes in truth; milliseconds. */
  readonly expectedMs: number;
  readonly trueMs: number;
};

export type Served = Arrival & { readonly startMs: number; readonly endMs: number };

/** What happened to a job as it was put. */
type Put = { readonly id: string; readonly ahead: number; readonly tag: number };

export type Watcher = {
  onPut?(arrival: Arrival, put: Put, running: number): Promise<void>;
  onStart?(id: string, nowMs: number): void;
};

/**
 * A GPU whose clock is a number: jobs are put, taken and settled by the very scripts of a deployment, in a real Redis, and
 * only their generation takes no time. Runs until `untilMs` or until nothing is left; jobs of one moment are put in order.
 */
export async function runVirtualGpu(
  space: QueueSpace,
  arrivals: readonly Arrival[],
  options: { slots: number; untilMs?: number; until?: (served: readonly Served[]) => boolean },
  watcher: Watcher = {},
): Promise<Served[]> {
  const queueName = await createQueueDirectory(space).ensure(affinity);
  const coming = arrivals.toSorted((a, b) => a.atMs - b.atMs);
  const jobs = new Map<string, Arrival>();
  const running: { id: string; arrival: Arrival; startMs: number; endMs: number }[] = [];
  const served: Served[] = [];
  let nowMs = 0;
  let next = 0;
  const { slots, untilMs = Infinity, until = () => false } = options;
  while (nowMs < untilMs && !until(served)) {
    const due: Arrival[] = [];
    for (; (coming[next]?.atMs ?? Infinity) <= nowMs; next++) due.push(coming[next] as Arrival);
    if (watcher.onPut) {
      for (const arrival of due) {
        const put = await putJob(space, queueName, arrival);
        jobs.set(put.id, arrival);
        await watcher.onPut(arrival, put, running.length);
        await fill();
      }
    } else {
      const puts = await Promise.all(due.map((arrival) => putJob(space, queueName, arrival)));
      for (const [index, { id }] of puts.entries()) jobs.set(id, due[index] as Arrival);
    }
    await fill();
    const first = running.toSorted((a, b) => a.endMs - b.endMs)[0];
    const arrivalMs = coming[next]?.atMs ?? Infinity;
    if (!first && arrivalMs === Infinity) break;
    nowMs = Math.min(first?.endMs ?? Infinity, arrivalMs);
    if (first && first.endMs <= nowMs) {
      running.splice(running.indexOf(first), 1);
      await settleJob(space, queueName, first.id, first.arrival.trueMs);
      served.push({ ...first.arrival, startMs: first.startMs, endMs: first.endMs });
    }
  }
  return served;

  async function fill(): Promise<void> {
    while (running.length < slots) {
      const [id] = await space.client.zpopmin(space.jobKey(queueName, "prioritized"));
      const arrival = id === undefined ? undefined : jobs.get(id);
      if (id === undefined || !arrival) return;
      await noteDispatch(space, { id, queueName });
      watcher.onStart?.(id, nowMs);
      running.push({ id, arrival, startMs: nowMs, endMs: nowMs + arrival.trueMs });
    }
  }
}

export const model = "llama3.2:3b";
const affinity = affinityOf({ model });

async function putJob(space: QueueSpace, queueName: string, arrival: Arrival): Promise<Put> {
  const { tenant, user, lane, weight, expectedMs: costMs } = arrival;
  const id = createJobId(queueTag(affinity));
  const request = { prompt: "Why?" };
  const fields = { tenant, ...(user !== undefined && { user }), ...(lane && { lane }) };
  const job = inferenceJobSchema.parse({ v: 1, type: "generate", model, request, ...fields });
  const add = { id, queueName, job, costMs, weight, policy: defaultDeliveryPolicy };
  const answer = await submitJob(space, add);
  if (answer.kind !== "added") throw new Error("a job was not taken");
  return { id, ahead: answer.ahead, tag: answer.tag };
}

/** As the worker's record of the end does it. */
async function settleJob(space: QueueSpace, queueName: string, id: string, usedMs: number): Promise<void> {
  const key = space.jobKey(queueName, id);
  await space.client.set(`${key}:lock`, "bench");
  const root = `${space.prefix}:`;
  const charge = { keys: fairKeys(space), root, queueName, usedMs, backTo: undefined };
  await appendFenced(space.client, { id, key, channel: "bench", token: "bench" }, { charge });
}
