import { UnrecoverableError } from "bullmq";
import { openErrandWorker } from "../consumer/open-errand-worker.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { type ActionCounts, type DeadLetterCommand, deadLetterCommandSchema, noCounts } from "./command.ts";
import { commandQueueName, type CommandProgress, commandProgressSchema } from "./command-queue.ts";

/** One go at a command. */
export type CommandRun = {
  readonly id: string;
  readonly command: DeadLetterCommand;
  /** Where an earlier go got to. */
  readonly progress: CommandProgress;
  readonly signal: AbortSignal;
  save(progress: CommandProgress): Promise<void>;
};

export type CommandConsumerOptions = {
  readonly name: string;
  readonly concurrency: number;
  /** A command whose handler is silent this long is given to another one. Milliseconds. */
  readonly lockMs: number;
  readonly stalledCheckMs: number;
  /** Works until done, or throws; also when the signal aborts: then the command is handed back. */
  readonly handle: (run: CommandRun) => Promise<ActionCounts>;
  readonly on: {
    /** Tries are left, unless `final`. */
    failed(id: string, command: DeadLetterCommand | undefined, error: Error, final: boolean): void;
    error(error: Error): void;
  };
};

// A command goes on where it was, so that it may lose its handler any number of times.
const maxStalledCount = 1_000_000;
const closeWithinMs = 3_000;

/** Consumes commands. Disposing hands running ones back, to be gone on with elsewhere. */
export function openCommandConsumer(space: QueueSpace, options: CommandConsumerOptions): AsyncDisposable {
  const { name, concurrency, lockMs, stalledCheckMs, on } = options;
  return openErrandWorker<ActionCounts>(space, {
    queueName: commandQueueName,
    name,
    concurrency,
    lockMs,
    stalledCheckMs,
    maxStalledCount,
    closeWithinMs,
    async run(job, signal) {
      const parsed = deadLetterCommandSchema.safeParse(job.data);
      if (!parsed.success) throw new UnrecoverableError("the command does not parse");
      const progress = commandProgressSchema.safeParse(job.progress).data ?? { next: 0, counts: noCounts };
      return options.handle({
        id: String(job.id),
        command: parsed.data,
        progress,
        signal,
        save: (next) => job.updateProgress(next),
      });
    },
    on: {
      failed(job, error) {
        const command = deadLetterCommandSchema.safeParse(job?.data).data;
        on.failed(job?.id ?? "unknown", command, error, job?.finishedOn !== undefined);
      },
      error: on.error,
    },
  });
}
