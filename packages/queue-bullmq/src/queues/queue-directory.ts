import {
  type Affinity,
  type QueueEntry,
  queueDirectoryChannel,
  queueDirectoryKey,
  queueEntry,
  queueEntrySchema,
} from "@forebay/queue-contracts";
import { closeRedis } from "../redis/open-redis.ts";
import type { QueueSpace } from "./queue-space.ts";

export class QueueDirectoryFullError extends Error {
  readonly code = "queue_directory_full";
  constructor(max: number) {
    super(`there are already ${max} queues, one for each model and set of runner options`);
  }
}

/** Which inference queues exist. Entries are only ever added, so what was read once stays true. */
export type QueueDirectory = {
  /** Name of the affinity's queue; writes the entry when it is new. Throws QueueDirectoryFullError. */
  ensure(affinity: Affinity): Promise<string>;
  /** The queue a job id points to, or undefined. */
  nameOfTag(tag: string): Promise<string | undefined>;
  list(): Promise<QueueEntry[]>;
};

export function createQueueDirectory(space: QueueSpace, queuesMax = 1_000): QueueDirectory {
  const key = queueDirectoryKey(space.prefix);
  const known = new Map<string, string>();

  return {
    async ensure(affinity) {
      const { tag, entry } = queueEntry(affinity);
      if (known.has(tag)) return entry.name;
      if ((await space.client.hlen(key)) >= queuesMax && !(await space.client.hexists(key, tag))) {
        throw new QueueDirectoryFullError(queuesMax);
      }
      if ((await space.client.hsetnx(key, tag, JSON.stringify(entry))) === 1) {
        await space.client.publish(queueDirectoryChannel(space.prefix), tag);
      }
      known.set(tag, entry.name);
      return entry.name;
    },
    async nameOfTag(tag) {
      const cached = known.get(tag);
      if (cached) return cached;
      const entry = parseEntry(await space.client.hget(key, tag));
      if (entry) known.set(tag, entry.name);
      return entry?.name;
    },
    async list() {
      const entries = Object.values(await space.client.hgetall(key)).map(parseEntry);
      return entries.filter((entry) => entry !== undefined);
    },
  };
}

function parseEntry(text: string | null): QueueEntry | undefined {
  if (text === null) return undefined;
  try {
    return queueEntrySchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/**
 * Calls `onChange` when a queue joined the directory. Only a hint, lost while Redis is away: look at `list`
 * from time to time as well.
 */
export async function watchQueueDirectory(space: QueueSpace, onChange: () => void): Promise<AsyncDisposable> {
  const subscriber = space.client.duplicate({ enableOfflineQueue: true, maxRetriesPerRequest: null });
  // The connection it was copied from reports the same faults.
  subscriber.on("error", () => undefined);
  subscriber.on("message", onChange);
  await subscriber.subscribe(queueDirectoryChannel(space.prefix));
  return { [Symbol.asyncDispose]: () => closeRedis(subscriber) };
}
