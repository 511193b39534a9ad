import {
  chooseQueue,
  createHomeTimes,
  createServiceLog,
  type SwapPace,
  type WaitingQueue,
} from "@forebay/scheduling";
import { createVirtualHost } from "./virtual-host.ts";
import { createVirtualShares, type ShareJob, type Tagged } from "./virtual-shares.ts";

/** A job of a trial, and when it comes. */
export type TrialJob = ShareJob & { readonly atMs: number; readonly trueMs: number };

export type TrialHosts = {
  readonly hosts: number;
  /** Models each holds in memory. */ readonly holds: number;
  readonly slots: number;
  readonly loadMs: number;
  /** How long a head may be passed over. */ readonly passedOverMsMax: number;
  /** undefined: the head with the lowest tag runs next, whatever that costs. */
  readonly pace: SwapPace | undefined;
};

export type TrialEnd = {
  readonly loads: number;
  readonly makespanMs: number;
  /** How long jobs that were owed less were served before each one, on the host it came to. */
  readonly passedOverMs: readonly number[];
  readonly waitsMs: readonly number[];
  /** Time of slots that each flow had. */ readonly servedMs: ReadonlyMap<string, number>;
};

/** While jobs wait and none may start, the dispatcher asks again so often. */
const askMs = 250;
const never = Number.POSITIVE_INFINITY;
/** So far back is remembered how long jobs were passed over in truth. */
const truthMs = 1_200_000;

/**
 * Hosts whose clock is a number, fed by the choice of a worker. Hundreds of jobs take a few milliseconds.
 *
 * @param jobs in order of arrival
 */
export function runSwapTrial(jobs: readonly TrialJob[], given: TrialHosts, untilMs = never): TrialEnd {
  const { slots, loadMs, holds, passedOverMsMax, pace } = given;
  const shares = createVirtualShares();
  const homeTimes = createHomeTimes();
  const queues = new Map<string, Tagged<TrialJob>[]>();
  const end = { passedOverMs: [] as number[], waitsMs: [] as number[], servedMs: new Map<string, number>() };
  let [nowMs, next, lastMs] = [0, 0, 0];
  const begun = (job: Tagged<TrialJob>, startMs: number): void => {
    lastMs = Math.max(lastMs, startMs + job.trueMs);
    end.waitsMs.push(startMs - job.atMs);
    end.servedMs.set(job.flow, (end.servedMs.get(job.flow) ?? 0) + job.trueMs);
  };
  const hosts = Array.from({ length: given.hosts }, (_, index) => ({
    gpu: createVirtualHost({ name: `gpu-${index}`, slots, loadMs, holds }, begun),
    log: createServiceLog(2 * passedOverMsMax),
    truth: createServiceLog(truthMs, truthMs),
  }));

  const waiting = (): WaitingQueue[] =>
    [...queues].flatMap(([name, queue]) => {
      const [head] = queue;
      if (!head) return [];
      const { tag, atMs: sinceMs, expectedMs } = head;
      const backlogMs = expectedMs * queue.length;
      return [{ name, affinity: name, tag, sinceMs, passedOverMsMax, backlogMs, slotsElsewhere: 0 }];
    });
  const choose = (): { model: string; host: (typeof hosts)[number] } | undefined => {
    const all = waiting();
    if (!pace) return chooseByTag(all);
    for (const { name } of all)
      homeTimes.saw(name, hosts.filter(({ gpu }) => gpu.serves(name)).length, nowMs);
    const views = hosts.map((host) => ({
      ...host.gpu.view(all, nowMs),
      passedOverMs: ({ name, tag, sinceMs }: WaitingQueue) =>
        host.log.passedOverMs({ tag, sinceMs: Math.max(sinceMs, homeTimes.since(name)) }, nowMs),
      host,
    }));
    const choice = chooseQueue(all, views, nowMs, pace);
    return choice && { model: choice.queue.name, host: (choice.host as (typeof views)[number]).host };
  };
  const chooseByTag = (all: readonly WaitingQueue[]) => {
    const [lowest] = all.toSorted((a, b) => a.tag - b.tag);
    const model = lowest?.name;
    if (model === undefined) return undefined;
    const free = hosts.filter(({ gpu }) => gpu.free(model) > 0 && gpu.maySend(model));
    const host = free.find(({ gpu }) => gpu.serves(model)) ?? free[0];
    return host && { model, host };
  };
  const take = (model: string, { gpu, log, truth }: (typeof hosts)[number]): void => {
    const job = queues.get(model)?.shift();
    if (!job) return;
    end.passedOverMs.push(truth.passedOverMs({ tag: job.tag, sinceMs: job.atMs }, nowMs));
    shares.taken(job);
    for (const each of [log, truth]) each.began(job.tag, nowMs);
    gpu.send(job, new Set(waiting().map(({ name }) => name)), nowMs);
  };
  const put = (job: TrialJob): void => {
    const queue = queues.get(job.model) ?? [];
    queues.set(job.model, queue);
    const placed = shares.place(job, queue.length > 0);
    queue.splice(queue.findLastIndex(({ tag }) => tag <= placed.tag) + 1, 0, placed);
  };

  while (nowMs < untilMs) {
    for (let choice = choose(); choice; choice = choose()) take(choice.model, choice.host);
    const asksAt = waiting().length > 0 ? nowMs + askMs : never;
    const nextMs = jobs[next]?.atMs ?? never;
    nowMs = Math.min(nextMs, asksAt, ...hosts.map(({ gpu }) => gpu.nextMs()));
    if (nowMs === never) break;
    for (const { gpu } of hosts) gpu.advance(nowMs);
    for (; (jobs[next]?.atMs ?? never) <= nowMs; next++) put(jobs[next] as TrialJob);
  }
  const loads = hosts.reduce((sum, { gpu }) => sum + gpu.loads(), 0);
  return { ...end, loads, makespanMs: lastMs - (jobs[0]?.atMs ?? 0) };
}
