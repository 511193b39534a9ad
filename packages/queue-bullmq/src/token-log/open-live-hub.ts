import { closeRedis } from "../redis/open-redis.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { liveChannel } from "./live-channel.ts";
import { type LogEntry, parsePublished } from "./log-entry.ts";

/** Told what happens to one job. Hints, which may be lost or come twice: numbers and state are the truth. */
export type LiveListener = {
  /** New entries, as published. */
  onEntries(entries: readonly LogEntry[]): void;
  /** Something else changed, or may have: read the job. */
  onChange(): void;
};

/**
 * Follows any number of jobs on one connection of its own.
 *
 * What Redis does not deliver (it was away; a worker died between ending a job and saying so) is made up for:
 * after a reconnection, and after `recheckMs` of silence or a little more, a followed job counts as changed.
 */
export type LiveHub = AsyncDisposable & {
  /** Resolves once nothing can be missed any more; call `stop` when done. Rejects while Redis is away. */
  watch(id: string, listener: LiveListener): Promise<{ stop(): void }>;
  /** Jobs followed now. */ readonly size: number;
};

type Followed = {
  readonly listeners: Set<LiveListener>;
  readonly ready: Promise<unknown>;
  /** Something came since it was rechecked last: it is not forgotten. */
  heard: boolean;
};

export function openLiveHub(space: QueueSpace, recheckMs = 5_000): LiveHub {
  const subscriber = space.client.duplicate({
    enableOfflineQueue: true,
    maxRetriesPerRequest: null,
    commandTimeout: 2_000,
  });
  // The connection it was copied from reports the same faults.
  subscriber.on("error", () => undefined);
  const followed = new Map<string, Followed>();

  const changed = (): void => {
    for (const { listeners } of followed.values()) for (const listener of listeners) listener.onChange();
  };
  const recheck = setInterval(recheckSome(followed, recheckMs), recheckTickMs);
  // ioredis subscribes again by itself; what was published meanwhile is lost.
  subscriber.on("ready", changed);
  subscriber.on("message", (channel: string, message: string) => {
    const entry = followed.get(channel);
    if (!entry) return;
    entry.heard = true;
    const { listeners } = entry;
    if (message === "") {
      for (const listener of listeners) listener.onChange();
      return;
    }
    const entries = parsePublished(message);
    for (const listener of listeners) listener.onEntries(entries);
  });

  const forget = (channel: string, listener: LiveListener): void => {
    const entry = followed.get(channel);
    entry?.listeners.delete(listener);
    if (!entry || entry.listeners.size > 0) return;
    followed.delete(channel);
    // While Redis is away there is nothing to end; the next subscriber starts afresh.
    subscriber.unsubscribe(channel).catch(() => undefined);
  };

  return {
    get size() {
      return followed.size;
    },
    async watch(id, listener) {
      const channel = liveChannel(space, id);
      const entry = followed.get(channel) ?? {
        listeners: new Set(),
        ready: subscriber.subscribe(channel),
        heard: true,
      };
      followed.set(channel, entry);
      entry.listeners.add(listener);
      const stop = (): void => forget(channel, listener);
      try {
        await entry.ready;
      } catch (error) {
        stop();
        throw error;
      }
      return { stop };
    },
    async [Symbol.asyncDispose]() {
      clearInterval(recheck);
      followed.clear();
      await closeRedis(subscriber);
    },
  };
}

const recheckTickMs = 100;

/** Rechecks a share of the jobs at each tick, so that all have had their turn after `recheckMs` and none at once. */
function recheckSome(followed: ReadonlyMap<string, Followed>, recheckMs: number): () => void {
  let turn = followed.values();
  return () => {
    const share = Math.ceil((followed.size * recheckTickMs) / recheckMs);
    for (let done = 0; done < share; done++) {
      const next = turn.next();
      if (next.done) {
        turn = followed.values();
        return;
      }
      const { heard, listeners } = next.value;
      next.value.heard = false;
      if (heard) continue;
      for (const listener of listeners) listener.onChange();
    }
  };
}
