import type { QueueSpace } from "../queues/queue-space.ts";
import { closeRedis } from "../redis/open-redis.ts";

/** Waits for jobs on many queues at once. */
export type MarkerWait = {
  /** From now on these queues are waited on, and no others. */
  watch(queueNames: readonly string[]): void;
  close(): Promise<void>;
};

const blockS = 5;
/** A reply that is this late never comes: the connection died without a word. */
const lateMs = 5_000;

/**
 * BullMQ's markers, which its producers set when a job comes, and which its workers wait for, each on a
 * connection of its own; here one connection waits for all queues of a process. Who takes a marker away owes
 * the other workers a look: BullMQ sets it again with every job that is taken, and whoever takes none sets it
 * again with `wakeConsumers`.
 *
 * @param onMarker called with the queue whose marker came
 */
export function openMarkerWait(space: QueueSpace, onMarker: (queueName: string) => void): MarkerWait {
  const connection = space.client.duplicate({ enableOfflineQueue: true, maxRetriesPerRequest: null });
  // The connection it was copied from reports the same faults.
  connection.on("error", () => undefined);
  let wanted: readonly string[] = [];
  let waiting: readonly string[] | undefined;
  let clientId: Promise<number> | undefined;
  let closed = false;
  connection.on("close", () => (clientId = undefined));
  let poke = (): void => undefined;

  /** Ends a wait that began with other queues; it may not have arrived yet when this does. */
  const unblock = async (begun: readonly string[]): Promise<void> => {
    while (!closed && waiting === begun && begun !== wanted) {
      const id = await clientId;
      if (id === undefined || (await space.client.client("UNBLOCK", id)) === 1) return;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  const watchdog = (): NodeJS.Timeout =>
    setTimeout(() => connection.disconnect(true), blockS * 1_000 + lateMs).unref();

  const waitOnce = async (): Promise<void> => {
    if (wanted.length === 0) {
      await new Promise<void>((resolve) => (poke = resolve));
      return;
    }
    const names = wanted;
    const timer = watchdog();
    try {
      clientId ??= connection.client("ID");
      await clientId;
      if (closed || names !== wanted) return;
      waiting = names;
      const reply = await connection.bzpopmin(...names.map((name) => space.jobKey(name, "marker")), blockS);
      waiting = undefined;
      const marked = reply && names.find((name) => space.jobKey(name, "marker") === reply[0]);
      if (marked) onMarker(marked);
    } catch {
      clientId = undefined;
      waiting = undefined;
      // It reconnects by itself; the command is only asked for again.
      if (!closed) await new Promise((resolve) => setTimeout(resolve, 100));
    } finally {
      clearTimeout(timer);
    }
  };
  const loop = (async () => {
    while (!closed) await waitOnce();
  })();

  return {
    watch(names) {
      if (names.length === wanted.length && names.every((name, index) => name === wanted[index])) return;
      wanted = names;
      poke();
      const begun = waiting;
      // While it waits for more than it needs to, nothing is missed.
      if (begun && names.some((name) => !begun.includes(name))) unblock(begun).catch(() => undefined);
    },
    async close() {
      closed = true;
      poke();
      connection.disconnect();
      await loop;
      await closeRedis(connection);
    },
  };
}
