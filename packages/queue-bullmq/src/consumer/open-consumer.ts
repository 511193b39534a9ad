import { openDispatcher } from "../dispatch/open-dispatcher.ts";
import type { Handled, QueueWorkerOptions } from "../dispatch/open-queue-worker.ts";
import type { StopReason } from "../control/request-stop.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import type { Delivery } from "./delivery.ts";
import type { Outcome } from "./outcome.ts";

export type ConsumerOptions = QueueWorkerOptions & {
  readonly queueName: string;
  readonly concurrency: number;
  /** Does the work and says how it ended; must not throw. `gpuMs`: time a slot was held. */
  readonly handle: (delivery: Delivery) => Promise<Handled>;
};

export type Consumer = {
  setConcurrency(concurrency: number): void;
  /** Takes no more jobs until `resume`; running ones go on. */
  pause(): void;
  resume(): void;
  /** Aborts the job's delivery if it is running here; the handler decides what becomes of it. */
  stopJob(id: string, reason: StopReason): boolean;
  /** Takes no more, waits for the running ones until `deadline`, then aborts those and hands them back. */
  close(deadline: AbortSignal): Promise<void>;
};

/** A dispatcher with one queue and as many seats as it is told. */
export function openConsumer(space: QueueSpace, options: ConsumerOptions): Consumer {
  let { concurrency } = options;
  let running = 0;
  let paused = false;
  const dispatcher = openDispatcher<"seat">(space, {
    ...options,
    choose(heads) {
      if (paused || running >= concurrency || heads.length === 0) return undefined;
      running++;
      return { queueName: options.queueName, seat: "seat" };
    },
    leave: () => void running--,
  });
  dispatcher.match([options.queueName]);
  return {
    setConcurrency(wanted) {
      concurrency = wanted;
      dispatcher.poke();
    },
    pause() {
      paused = true;
    },
    resume() {
      paused = false;
      dispatcher.poke();
    },
    stopJob: dispatcher.stopJob,
    close: dispatcher.close,
  };
}

/** What a handler answers when its own code broke: the job is tried again, the cause goes to the log. */
export function internalFailure(): Outcome {
  return {
    kind: "retry",
    failure: { code: "internal_error", message: "a fault in Forebay itself; see the worker's log" },
  };
}
