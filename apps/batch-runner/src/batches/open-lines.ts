import {
  type BatchEnding,
  type BatchRecord,
  cancelJob,
  hasEnded,
  type JobRecord,
  readJobOn,
  submitJob,
} from "@forebay/queue-bullmq";
import { canonicalModelName, type InferenceJob } from "@forebay/queue-contracts";
import { estimateJob } from "@forebay/scheduling";
import type { TakenLine } from "../lines/taken-line.ts";
import type { BatchDeps } from "./batch-deps.ts";

/** Lines whose jobs are on the queues or on their way there. */
export type OpenLines = {
  readonly size: number;
  /** Those that wait for tokens: for as long as a day, and no more are to be taken meanwhile. */
  readonly limited: number;
  /** `job`: to be put. Without it, it may have been put before: then it is looked for. */
  start(line: TakenLine, job?: InferenceJob): void;
  /** Ends all that have not ended: what waits at once, what runs by its worker. */
  end(): void;
  stop(): void;
};

type Options = {
  /** How the batch is being ended early, if it is. */ ending():
    | Exclude<BatchEnding, "completed">
    | undefined;
  /** The job of a line whose process died, from the input file. */
  reload(line: TakenLine): Promise<InferenceJob | undefined>;
  /** undefined: it was never put, and will not be. */
  ended(line: TakenLine, job: JobRecord | undefined): void;
  /** A line waits for tokens, and holds no slot meanwhile; and it goes on. */
  paused(): void;
  resumed(): void;
  failed(error: unknown): void;
};

/** A refusal that time heals is tried again after this long. Milliseconds. */
const holdMs = 500;
/** A day's tokens that are used up are there again tomorrow, or when a job has used less than was reserved for it. */
const tokensHoldMs = 10_000;

export function createOpenLines(deps: BatchDeps, batch: BatchRecord, options: Options): OpenLines {
  const { space, hub } = deps;
  const open = new Map<
    string,
    { line: TakenLine; stop(): void; put: boolean; checking: boolean; again: boolean }
  >();
  const holds = new Set<() => void>();
  let limited = 0;
  let stopped = false;
  // The other half of what the tenant may have open is for its calls.
  const openMax = Math.max(1, Math.floor((batch.jobs_open_max ?? deps.limits.tenantJobsOpenMax) / 2));

  // By the minute only callers are held: lines take what is free and would leave them nothing of it.
  const rates = { tokensPerDay: batch.tokens_per_day ?? deps.limits.tenantTokensPerDay };

  const settle = (line: TakenLine, job: JobRecord | undefined): void => {
    const entry = open.get(line.jobId);
    if (!entry || stopped) return;
    entry.stop();
    open.delete(line.jobId);
    options.ended(line, job);
    // There is room for one that was refused.
    for (const resolve of holds) {
      resolve();
      break;
    }
  };
  const guard = (work: Promise<void>): void =>
    void work.catch((error: unknown) => {
      if (!stopped) options.failed(error);
    });

  const put = async (line: TakenLine, job: InferenceJob): Promise<void> => {
    const { jobId: id, queueName = "" } = line;
    const { policy } = deps;
    while (!stopped && !options.ending()) {
      const { free, costs } = await deps.room.read();
      const { costMs, promptTokens, outputTokens } = estimateJob(
        job,
        costs.get(canonicalModelName(job.model)),
      );
      const add = { id, queueName, job, policy, costMs, tokens: promptTokens + outputTokens };
      const answer = free ? await submitJob(space, add, { openMax, rates }) : { kind: "full" as const };
      if (answer.kind !== "full" && answer.kind !== "limited") {
        const entry = open.get(id);
        if (entry) entry.put = true;
        return;
      }
      await (answer.kind === "limited" ? waitForTokens() : hold(holdMs));
    }
    settle(line, undefined);
  };
  const hold = async (ms: number): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    holds.add(resolve);
    await promise;
    holds.delete(resolve);
    clearTimeout(timer);
  };

  const waitForTokens = async (): Promise<void> => {
    limited++;
    options.paused();
    await hold(tokensHoldMs);
    limited--;
    if (!stopped) options.resumed();
  };

  /** What became of its job: events may be lost, so this is asked whenever something may have happened. */
  const check = async (line: TakenLine): Promise<void> => {
    const entry = open.get(line.jobId);
    if (!entry?.put || stopped) return;
    if (entry.checking) {
      entry.again = true;
      return;
    }
    entry.checking = true;
    const ended = await hasEnded(space, line.queueName ?? "", line.jobId);
    entry.checking = false;
    if (ended === undefined) {
      entry.put = false;
      await resume(line);
    } else if (ended) {
      const job = await readJobOn(space, line.queueName ?? "", line.jobId);
      if (job?.finishedAt) settle(line, job);
    } else if (entry.again) {
      entry.again = false;
      await check(line);
    }
  };
  const resume = async (line: TakenLine): Promise<void> => {
    const job = options.ending() ? undefined : await options.reload(line);
    if (job) await put(line, job);
    else settle(line, undefined);
    await follow(line);
  };
  const start = async (line: TakenLine, job: InferenceJob | undefined): Promise<void> => {
    const onChange = (): void => guard(check(line));
    const watched = await hub.watch(line.jobId, { onChange, onEntries: () => undefined });
    const entry = open.get(line.jobId);
    if (!entry || stopped) return watched.stop();
    entry.stop = watched.stop;
    if (job) await put(line, job);
    else entry.put = true;
    await follow(line);
  };
  const cancel = async (line: TakenLine): Promise<void> => {
    await cancelJob(space, { id: line.jobId, queueName: line.queueName ?? "", tenant: batch.tenant });
    await check(line);
  };
  /** The end of the batch may have come while its job was on the way. */
  const follow = (line: TakenLine): Promise<void> =>
    options.ending() && open.get(line.jobId)?.put ? cancel(line) : check(line);

  return {
    get size() {
      return open.size;
    },
    get limited() {
      return limited;
    },
    start(line, job) {
      open.set(line.jobId, { line, stop: () => undefined, put: false, checking: false, again: false });
      guard(start(line, job));
    },
    end() {
      for (const resolve of holds) resolve();
      for (const { line, put: isPut } of open.values()) {
        if (isPut) guard(cancel(line));
      }
    },
    stop() {
      stopped = true;
      for (const resolve of holds) resolve();
      for (const { stop } of open.values()) stop();
    },
  };
}
