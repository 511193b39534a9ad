import {
  chooseQueue,
  createServiceLog,
  type Host,
  type SwapPace,
  type WaitingQueue,
} from "@forebay/scheduling";
import { createVirtualShares, type ShareJob, type Tagged } from "./virtual-shares.ts";

/** A job of a trial, and when it comes. */
export type TrialJob = ShareJob & { readonly atMs: number; readonly trueMs: number };

export type TrialHost = {
  readonly slots: number;
  readonly loadMs: number;
  /** How long a head may be passed over. */ readonly passedOverMsMax: number;
  /** undefined: the head with the lowest tag runs next, whatever that costs. */
  readonly pace: SwapPace | undefined;
};

export type TrialEnd = {
  readonly loads: number;
  readonly makespanMs: number;
  /** How long jobs that were owed less were served before each one. */ readonly passedOverMs: readonly number[];
  readonly waitsMs: readonly number[];
  /** Time of slots that each flow had. */ readonly servedMs: ReadonlyMap<string, number>;
};

/** While jobs wait and none may start, the dispatcher asks again so often. */
const askMs = 250;
const never = Number.POSITIVE_INFINITY;

type Call = { readonly job: Tagged<TrialJob>; readonly endMs: number };
type Load = { readonly model: string; readonly calls: Tagged<TrialJob>[]; endMs: number };

/**
 * A host that holds one model and whose clock is a number, fed by the choice of a worker. Hundreds of jobs take a
 * few milliseconds.
 *
 * @param jobs in order of arrival
 */
export function runSwapTrial(jobs: readonly TrialJob[], given: TrialHost, untilMs = never): TrialEnd {
  const { slots, loadMs, passedOverMsMax, pace } = given;
  const shares = createVirtualShares();
  const queues = new Map<string, Tagged<TrialJob>[]>();
  const log = createServiceLog(2 * passedOverMsMax);
  const truth = createTruth();
  const end = { passedOverMs: [] as number[], waitsMs: [] as number[], servedMs: new Map<string, number>() };
  let running: Call[] = [];
  let loaded = "";
  let loading: Load | undefined;
  let [nowMs, next, loads, loadedAtMs, lastMs] = [0, 0, 0, 0, 0];

  const waiting = (): WaitingQueue[] =>
    [...queues].flatMap(([name, queue]) => {
      const [head] = queue;
      if (!head) return [];
      const { tag, atMs: sinceMs, expectedMs } = head;
      const backlogMs = expectedMs * queue.length;
      return [{ name, affinity: name, tag, sinceMs, passedOverMsMax, backlogMs, slotsElsewhere: 0 }];
    });
  const free = (model: string): number =>
    slots -
    (loading?.model === model
      ? loading.calls.length
      : running.filter(({ job }) => job.model === model).length);
  const host = (): Host => ({
    name: "gpu",
    loaded: new Set([loaded]),
    loading: loading?.model,
    room: false,
    spare: false,
    steadyMs: nowMs - loadedAtMs,
    busy: running.length,
    slots: () => slots,
    free: ({ name }) => free(name),
    swapMs: () => loadMs,
    clashes: () => false,
    passedOverMs: (queue) => log.passedOverMs(queue, nowMs),
  });
  const choose = (): string | undefined => {
    if (pace) return chooseQueue(waiting(), [host()], nowMs, pace)?.queue.name;
    const [lowest] = waiting().toSorted((a, b) => a.tag - b.tag);
    if (!lowest || (loading && loading.model !== lowest.name)) return undefined;
    return free(lowest.name) > 0 ? lowest.name : undefined;
  };
  const begin = (job: Tagged<TrialJob>): void => {
    const endMs = nowMs + job.trueMs;
    running.push({ job, endMs });
    lastMs = Math.max(lastMs, endMs);
    end.waitsMs.push(nowMs - job.atMs);
    end.servedMs.set(job.flow, (end.servedMs.get(job.flow) ?? 0) + job.trueMs);
  };
  const take = (model: string): void => {
    const job = queues.get(model)?.shift();
    if (!job) return;
    end.passedOverMs.push(truth.passedOverMs(job, nowMs));
    shares.taken(job);
    for (const each of [log, truth]) each.began(job.tag, nowMs);
    if (loading) loading.calls.push(job);
    else if (loaded === model) begin(job);
    else {
      loads++;
      loadedAtMs = nowMs;
      loading = { model, calls: [job], endMs: never };
    }
  };
  const put = (job: TrialJob): void => {
    const queue = queues.get(job.model) ?? [];
    queues.set(job.model, queue);
    const placed = shares.place(job, queue.length > 0);
    queue.splice(queue.findLastIndex(({ tag }) => tag <= placed.tag) + 1, 0, placed);
  };

  while (nowMs < untilMs) {
    for (let model = choose(); model !== undefined; model = choose()) take(model);
    // The model that has to leave stays until its last call ends.
    if (loading && running.length === 0) loading.endMs = Math.min(loading.endMs, nowMs + loadMs);
    const asksAt = waiting().length > 0 ? nowMs + askMs : never;
    const nextMs = jobs[next]?.atMs ?? never;
    nowMs = Math.min(nextMs, asksAt, loading?.endMs ?? never, ...running.map(({ endMs }) => endMs));
    if (nowMs === never) break;
    running = running.filter(({ endMs }) => endMs > nowMs);
    if (loading && loading.endMs <= nowMs) {
      loaded = loading.model;
      for (const job of loading.calls) begin(job);
      loading = undefined;
    }
    for (; (jobs[next]?.atMs ?? never) <= nowMs; next++) put(jobs[next] as TrialJob);
  }
  return { ...end, loads, makespanMs: lastMs - (jobs[0]?.atMs ?? 0) };
}

/** As a service log, without its limits. */
function createTruth() {
  const starts: { atMs: number; tag: number }[] = [];
  return {
    began: (tag: number, atMs: number): void => void starts.push({ atMs, tag }),
    passedOverMs({ tag, atMs: sinceMs }: Tagged<TrialJob>, nowMs: number): number {
      let sum = 0;
      let untilMs = nowMs;
      for (let index = starts.length - 1; (starts[index]?.atMs ?? -1) >= sinceMs; index--) {
        const start = starts[index];
        if (start && start.tag > tag) sum += untilMs - start.atMs;
        untilMs = start?.atMs ?? untilMs;
      }
      return sum;
    },
  };
}
