import type { Delivery } from "../consumer/delivery.ts";
import type { StopReason } from "../control/request-stop.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { wakeConsumers } from "../queues/wake-consumers.ts";
import { openMarkerWait } from "./open-marker-wait.ts";
import {
  type Handled,
  openQueueWorker,
  type QueueWorker,
  type QueueWorkerOptions,
  type TakenJob,
} from "./open-queue-worker.ts";
import { lookAtQueue, type WaitingHead } from "./waiting-head.ts";

/** `Seat`: what a job needs to run, such as a slot on a host; given out by `choose`, given back by `leave`. */
export type DispatcherOptions<Seat> = QueueWorkerOptions & {
  /**
   * What runs next, and its seat, which is taken by that; undefined: nothing may start now. Must not block.
   *
   * @param heads of all queues where jobs wait
   */
  readonly choose: (
    heads: readonly WaitingHead[],
    nowMs: number,
  ) => { queueName: string; seat: Seat } | undefined;
  /** Gives a seat back: its job ended, or there was none after all. */
  readonly leave: (seat: Seat) => void;
  /** The host it is on, for the job's record. */ readonly backendOf?: (seat: Seat) => string;
  /** Does the work and says how it ended; must not throw. */
  readonly handle: (delivery: Delivery, seat: Seat) => Promise<Handled>;
};

/** One loop over many queues. */
export type Dispatcher = {
  /** Serves these queues from now on; what runs of others is finished. */
  match(queueNames: readonly string[]): void;
  /** `choose` may answer differently now: a slot is free, a host is back. */
  poke(): void;
  /** Jobs waiting, by queue, as last seen. */
  heads(): readonly WaitingHead[];
  stopJob(id: string, reason: StopReason): boolean;
  /** Takes no more, waits for the running ones until `deadline`, then aborts those and hands them back. */
  close(deadline: AbortSignal): Promise<void>;
};

type Served = {
  readonly worker: QueueWorker;
  head: WaitingHead | undefined;
  delayedUntil: number | undefined;
  lookedAt: number;
  /** What is known of it may be wrong. */ stale: boolean;
  /** Looks under way: until they are answered, what is known is what was there before. */ looks: number;
  /** Its marker was taken away for a look, and nobody was told. */ owesMarker: boolean;
  running: number;
  /** Taking from it gave nothing though a job was seen, so it is left alone until then. */ restUntil: number;
  emptyTakes: number;
};

/** Other workers take from the same queues: what was seen longer ago is looked at again before choosing. */
const freshMs = 20;
/** With many queues, looks would cost more than what they find. */
const freshMsPerQueue = 0.2;
/** While jobs wait and nothing may start, it is asked again so often, in case `choose` went by the clock. */
const idleChooseMs = 250;
/** Markers are hints, and may be lost with whoever took them: all queues are looked at so often. */
const sweepMs = 5_000;
const redisAwayMs = 500;
/** Jobs of a queue are seen and not given: it has a limit of rate, or others are faster. */
const restMs = 10;
const restMsMax = 1_000;

/**
 * Feeds seats with jobs of many queues. What is known of a queue is its head, seen by a look; a queue known
 * to be empty is waited on by its marker. A worker busy with one queue takes the next job with the command
 * that ends the last, and looks at nothing.
 */
export function openDispatcher<Seat>(space: QueueSpace, options: DispatcherOptions<Seat>): Dispatcher {
  const queues = new Map<string, Served>();
  /** Queues that are no longer served, whose last jobs run. */
  const leaving = new Set<Served>();
  const retiring = new Set<Promise<void>>();
  const chains = new Set<Promise<void>>();
  let timer: NodeJS.Timeout | undefined;
  let turning: Promise<void> | undefined;
  let again = false;
  let closing: Promise<void> | undefined;

  const markers = openMarkerWait(space, (queueName) => {
    const queue = queues.get(queueName);
    if (!queue) return;
    queue.stale = true;
    queue.owesMarker = true;
    turn();
  });
  const sweep = setInterval(() => {
    for (const queue of queues.values()) queue.stale = true;
    turn();
  }, sweepMs);

  const withJobs = (): Served[] => [...queues.values()].filter(({ head }) => head !== undefined);
  const heads = (): WaitingHead[] => {
    const now = Date.now();
    return withJobs().flatMap(({ head, restUntil }) => (head && restUntil <= now ? [head] : []));
  };
  const anyStale = (): boolean => {
    for (const { stale, looks } of queues.values()) if (stale || looks > 0) return true;
    return false;
  };

  const look = async (queue: Served): Promise<void> => {
    queue.stale = false;
    queue.lookedAt = Date.now();
    queue.looks++;
    try {
      const seen = await lookAtQueue(space, queue.worker.queueName, queue.lookedAt);
      queue.head = seen.head;
      queue.delayedUntil = seen.delayedUntil;
      // What was seen and not given is not seen any more: others took it, or it is held.
      if (!seen.head) queue.emptyTakes = queue.restUntil = 0;
    } catch (error) {
      queue.stale = true;
      throw error;
    } finally {
      queue.looks--;
    }
  };

  /** Looks where what is known is doubtful. */
  const refresh = async (): Promise<void> => {
    const now = Date.now();
    const busy = withJobs();
    const old = busy.length > 1 ? now - Math.max(freshMs, busy.length * freshMsPerQueue) : 0;
    const doubtful = [...queues.values()].filter(
      (queue) => queue.stale || (queue.head && queue.lookedAt < old) || (queue.delayedUntil ?? now) < now,
    );
    await Promise.all(doubtful.map(look));
  };

  /** One job fewer waits, and another is the head now: which, only a look can tell. */
  const noteTaken = (queue: Served): void => {
    const { head } = queue;
    if (!head) return;
    queue.head = head.waiting > 1 ? { ...head, waiting: head.waiting - 1 } : undefined;
    // With one queue the order is BullMQ's, and who is its head does not matter.
    if (!queue.head || withJobs().length > 1) queue.stale = true;
  };

  const choose = () => (closing ? undefined : options.choose(heads(), Date.now()));

  /** Runs a job, and then those that follow it on its seat. */
  const runChain = async (queue: Served, first: TakenJob, firstSeat: Seat): Promise<void> => {
    let taken: TakenJob | undefined = first;
    let seat: Seat | undefined = firstSeat;
    while (taken && seat !== undefined) {
      const held: Seat = seat;
      let next: { seat: Seat } | undefined;
      let asked = false;
      const placed = () => next && { backend: options.backendOf?.(next.seat) };
      const fetchNext = () => {
        // Asked again when Redis did not answer the first time.
        if (asked) return placed();
        asked = true;
        options.leave(held);
        if (anyStale() || leaving.has(queue)) {
          // Its seat is free: what comes next is looked for while Redis is told of the end.
          turn();
          return undefined;
        }
        const choice = choose();
        if (choice?.queueName === queue.worker.queueName) next = choice;
        else if (choice) void begin(choice.queueName, choice.seat);
        if (next) noteTaken(queue);
        return placed();
      };
      const task = {
        handle: (delivery: Delivery) => options.handle(delivery, held),
        backend: options.backendOf?.(held),
      };
      taken = await queue.worker.run(taken, task, fetchNext);
      if (!asked) options.leave(held);
      // TypeScript does not see that `fetchNext` was called meanwhile.
      const granted = next as { seat: Seat } | undefined;
      seat = granted?.seat;
      if (granted && !taken) {
        options.leave(granted.seat);
        queue.stale = true;
        seat = undefined;
      }
    }
  };

  const takeAndRun = async (queue: Served, seat: Seat, started: () => void): Promise<void> => {
    let taken: TakenJob | undefined;
    try {
      taken = await queue.worker.take(options.backendOf?.(seat));
    } catch (error) {
      options.on.error(error instanceof Error ? error : new Error(String(error)));
    }
    noteTake(queue, taken !== undefined);
    started();
    if (taken) await runChain(queue, taken, seat);
    else options.leave(seat);
  };

  const noteTake = (queue: Served, got: boolean): void => {
    if (got) {
      queue.emptyTakes = 0;
      // The command that took it set the marker again.
      queue.owesMarker = false;
      return;
    }
    queue.head = undefined;
    queue.stale = true;
    // The first time somebody else was faster, and a look tells.
    if (queue.emptyTakes++ > 0) {
      queue.restUntil = Date.now() + Math.min(restMs * 2 ** queue.emptyTakes, restMsMax);
    }
  };

  /** Starts the queue's next job; resolves when it is known whether there was one. */
  const begin = (queueName: string, seat: Seat): Promise<void> => {
    const queue = queues.get(queueName);
    if (!queue) {
      options.leave(seat);
      return Promise.resolve();
    }
    noteTaken(queue);
    queue.running++;
    return new Promise((started) => {
      const chain = takeAndRun(queue, seat, started).finally(() => {
        queue.running--;
        chains.delete(chain);
        if (leaving.has(queue) && queue.running === 0) retire(queue);
        turn();
      });
      chains.add(chain);
    });
  };

  const takeTurn = async (): Promise<void> => {
    do {
      again = false;
      await refresh();
      for (let choice = choose(); choice; choice = choose()) {
        const several = withJobs().length > 1;
        const begun = begin(choice.queueName, choice.seat);
        // Who is the next head decides what may start next.
        if (several) await begun.then(refresh);
      }
      for (const queue of queues.values()) await repayMarker(queue);
    } while (again && !closing);
  };

  /** Nothing here takes the job that its marker stood for: the others are to look. */
  const repayMarker = async (queue: Served): Promise<void> => {
    if (!queue.owesMarker) return;
    queue.owesMarker = false;
    if (queue.head) await wakeConsumers(space, queue.worker.queueName);
  };

  const turn = (): void => {
    if (closing) return;
    if (turning) {
      again = true;
      return;
    }
    clearTimeout(timer);
    turning = takeTurn()
      .then(
        () => nextTurnMs(),
        (error: unknown) => {
          options.on.error(error instanceof Error ? error : new Error(String(error)));
          return redisAwayMs;
        },
      )
      .then((waitMs) => {
        turning = undefined;
        if (closing) return;
        if (again) {
          turn();
          return;
        }
        const empty = [...queues.values()].filter(({ head }) => !head);
        markers.watch(empty.map(({ worker }) => worker.queueName));
        if (waitMs !== undefined) timer = setTimeout(turn, waitMs);
      });
  };

  const nextTurnMs = (): number | undefined => {
    const now = Date.now();
    const due = [...queues.values()].flatMap(({ delayedUntil }) => delayedUntil ?? []);
    const waits = due.map((at) => Math.max(1, at - now + 1));
    if (withJobs().length > 0) waits.push(idleChooseMs);
    for (const { restUntil } of queues.values()) if (restUntil > now) waits.push(restUntil - now);
    return waits.length === 0 ? undefined : Math.min(...waits, 60_000);
  };

  const retire = (queue: Served): void => {
    leaving.delete(queue);
    const closed = queue.worker.close().catch(options.on.error);
    retiring.add(closed);
    void closed.finally(() => retiring.delete(closed));
  };

  const finishClosing = async (deadline: AbortSignal): Promise<void> => {
    clearTimeout(timer);
    clearInterval(sweep);
    const interrupt = (): void => {
      for (const { worker } of [...queues.values(), ...leaving]) worker.interrupt();
    };
    if (deadline.aborted) interrupt();
    else deadline.addEventListener("abort", interrupt, { once: true });
    await markers.close();
    await turning?.catch(() => undefined);
    // A job that was being taken when the deadline passed has not heard of it.
    while (chains.size > 0)
      await Promise.race([...chains, deadlineTick(deadline)]).then(() => deadline.aborted && interrupt());
    deadline.removeEventListener("abort", interrupt);
    const all = [...queues.values()];
    await Promise.all([...all.map(({ worker }) => worker.close().catch(options.on.error)), ...retiring]);
    if (space.client.status !== "ready") return;
    // Places are free, and nobody else was told.
    await Promise.allSettled(all.map(({ worker }) => wakeConsumers(space, worker.queueName)));
    queues.clear();
  };

  return {
    heads,
    poke: turn,
    match(queueNames) {
      if (closing) return;
      const wanted = new Set(queueNames);
      for (const [name, queue] of queues) {
        if (wanted.has(name)) continue;
        queues.delete(name);
        leaving.add(queue);
        if (queue.running === 0) retire(queue);
      }
      for (const queueName of wanted) {
        if (queues.has(queueName)) continue;
        queues.set(queueName, {
          worker: openQueueWorker(space, queueName, options),
          head: undefined,
          delayedUntil: undefined,
          lookedAt: 0,
          stale: true,
          looks: 0,
          owesMarker: false,
          running: 0,
          restUntil: 0,
          emptyTakes: 0,
        });
      }
      turn();
    },
    stopJob: (id, reason) =>
      [...queues.values(), ...leaving].some(({ worker }) => worker.stopJob(id, reason)),
    close: (deadline) => (closing ??= finishClosing(deadline)),
  };
}

/** Resolves a moment after the deadline passed, or never before. */
function deadlineTick(deadline: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (deadline.aborted) setTimeout(resolve, 20);
    else deadline.addEventListener("abort", () => resolve(), { once: true });
  });
}
