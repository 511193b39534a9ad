import { UnrecoverableError } from "bullmq";
import { openErrandWorker } from "../consumer/open-errand-worker.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import {
  type ChangeEnd,
  type ChangeLine,
  type ModelChange,
  modelChangeQueueName,
  modelChangeSchema,
} from "./model-change.ts";

export type ModelChangeConsumerOptions = {
  readonly worker: string;
  /** The host whose changes these are. */ readonly backend: string;
  /** A change whose worker is silent this long is begun again by another one. Milliseconds. */
  readonly lockMs: number;
  readonly stalledCheckMs: number;
  /** Carries it out; throws when the signal aborts: then it is handed back and begun again elsewhere. */
  readonly handle: (
    change: ModelChange,
    tell: (line: ChangeLine) => Promise<void>,
    signal: AbortSignal,
  ) => Promise<ChangeEnd>;
  readonly onError: (error: Error) => void;
};

// Each of the calls may be made again: what a pull has loaded it keeps.
const maxStalledCount = 10;
const closeWithinMs = 3_000;

/** Carries out one change after the other on one host. Disposing hands a running one back. */
export function openModelChangeConsumer(
  space: QueueSpace,
  options: ModelChangeConsumerOptions,
): AsyncDisposable {
  const { worker, backend, lockMs, stalledCheckMs } = options;
  return openErrandWorker<ChangeEnd>(space, {
    queueName: modelChangeQueueName(backend),
    name: worker,
    concurrency: 1,
    lockMs,
    stalledCheckMs,
    maxStalledCount,
    closeWithinMs,
    async run(job, signal) {
      const change = modelChangeSchema.safeParse(job.data);
      if (!change.success) throw new UnrecoverableError("the change does not parse");
      return options.handle(change.data, (line) => job.updateProgress(line), signal);
    },
    on: { error: options.onError },
  });
}
