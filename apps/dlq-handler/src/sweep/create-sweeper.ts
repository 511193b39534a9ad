import {
  type QueueDirectory,
  type QueueSpace,
  reconcileLetters,
  type SweepReport,
  sweepFailedSet,
} from "@forebay/queue-bullmq";
import type { DeadLetter, QueueEntry } from "@forebay/queue-contracts";
import type { DlqEvents } from "../events.ts";
import { decideRedrive, type RedrivePolicy } from "../redrive/redrive-policy.ts";

const queuesAtOnce = 8;

export type SweeperDeps = {
  readonly space: QueueSpace;
  readonly directory: QueueDirectory;
  readonly autoRedrive: RedrivePolicy;
  readonly events: DlqEvents;
  /** How often everything is looked at, and how far back the sweeps between look. Milliseconds. */
  readonly fullIntervalMs: number;
  readonly overlapMs: number;
  readonly now: () => number;
};

export type Sweeper = {
  /** One look at the failed sets of all queues. */
  sweep(signal: AbortSignal): Promise<void>;
  /** Whether every failed set has been looked at whole since this process began. */
  readonly sweptAll: boolean;
};

/** What the last sweep of a queue that came to its end left behind. */
type Swept = { readonly atMs: number; readonly settled: ReadonlyMap<string, string> };

export function createSweeper(deps: SweeperDeps): Sweeper {
  const { space, directory, events, now } = deps;
  let swept = new Map<string, Swept>();
  let fullAtMs = Number.NEGATIVE_INFINITY;
  let sweptAll = false;

  const dueMs = (letter: DeadLetter): number | undefined => {
    const rule = decideRedrive(deps.autoRedrive, letter);
    return rule && now() + rule.delayMs;
  };

  const sweepQueue = async (queue: QueueEntry, signal: AbortSignal): Promise<void> => {
    const atMs = now();
    const last = swept.get(queue.name);
    try {
      const report = await sweepFailedSet(space, {
        queue,
        sinceMs: last && last.atMs - deps.overlapMs,
        settled: last?.settled ?? new Map(),
        options: { dueMs },
        signal,
        on: {
          recorded: ({ letter }) => events.deadLetterRecorded(letter),
          failed: (id, error) => events.jobNotRecorded(id, error),
        },
      });
      swept.set(queue.name, { atMs, settled: recentOf(report, atMs - deps.overlapMs) });
      if (!last && report.foreign > 0) events.foreignJobsSeen(queue.name, report.foreign);
    } catch (error) {
      if (!signal.aborted) events.sweepFailed(queue.name, error);
    }
  };

  return {
    get sweptAll() {
      return sweptAll;
    },
    async sweep(signal) {
      const full = now() - fullAtMs >= deps.fullIntervalMs;
      if (full) {
        swept = new Map();
        fullAtMs = now();
      }
      const queues = await directory.list();
      for (let at = 0; at < queues.length && !signal.aborted; at += queuesAtOnce) {
        await Promise.all(queues.slice(at, at + queuesAtOnce).map((queue) => sweepQueue(queue, signal)));
      }
      signal.throwIfAborted();
      sweptAll ||= queues.every(({ name }) => swept.has(name));
      if (full) events.lettersReconciled(await reconcileLetters(space, signal));
    },
  };
}

/** Only what the next sweep may meet again: a full one has seen everything there is. */
function recentOf(report: SweepReport, sinceMs: number): Map<string, string> {
  return new Map([...report.settled].filter(([, score]) => Number(score) >= sinceMs));
}
