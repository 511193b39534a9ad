import { Queue } from "bullmq";
import type { Redis } from "../redis/open-redis.ts";

/** All queues of one deployment: one Redis, one prefix, one connection for everything that does not block. */
export type QueueSpace = {
  readonly prefix: string;
  readonly client: Redis;
  /** BullMQ's queue of this name; made on first use and kept. */
  queue(name: string): Queue;
  /** `<prefix>:<part>:<part>…`: keys of ours that belong to no queue. */
  key(...parts: string[]): string;
  /** Key of a job's hash. */
  jobKey(queueName: string, id: string): string;
  close(): Promise<void>;
};

/** Events only wake; the last few hundred are enough, and they hold results. */
const eventsMax = 200;

export function openQueueSpace(client: Redis, prefix: string): QueueSpace {
  const queues = new Map<string, Queue>();
  return {
    prefix,
    client,
    queue(name) {
      const known = queues.get(name);
      if (known) return known;
      const queue = new Queue(name, {
        connection: client,
        prefix,
        // Without these the first use of a queue would wait for an absent Redis for ever, or fail and leave
        // behind a queue that fails for ever. The version is checked by every consumer.
        skipWaitingForReady: true,
        skipVersionCheck: true,
        streams: { events: { maxLen: eventsMax } },
      });
      // The connection's own listener reports; without a listener here an EventEmitter would throw.
      queue.on("error", () => undefined);
      queues.set(name, queue);
      return queue;
    },
    key: (...parts) => [prefix, ...parts].join(":"),
    jobKey: (queueName, id) => `${prefix}:${queueName}:${id}`,
    async close() {
      await Promise.allSettled([...queues.values()].map((queue) => queue.close()));
      queues.clear();
    },
  };
}
