import { queueDirectoryChannel } from "@forebay/queue-contracts";
import type { QueueSpace } from "./queue-space.ts";

/** What operators want of hosts and models, until they say otherwise. */
export type OperatorWishes = {
  /** Hosts, by name, that finish what they run and take nothing new. */ readonly draining: ReadonlySet<string>;
  /** Models, by canonical name, whose jobs wait. */ readonly paused: ReadonlySet<string>;
};

const keys = {
  draining: (space: QueueSpace) => space.key("draining"),
  paused: (space: QueueSpace) => space.key("paused"),
};

export async function readWishes(space: QueueSpace): Promise<OperatorWishes> {
  const [draining, paused] = await Promise.all([
    space.client.smembers(keys.draining(space)),
    space.client.smembers(keys.paused(space)),
  ]);
  return { draining: new Set(draining), paused: new Set(paused) };
}

/** Notes the wish; workers that live are told, others find it. Harmless when repeated. */
export async function setWish(
  space: QueueSpace,
  wish: keyof OperatorWishes,
  name: string,
  wanted: boolean,
): Promise<void> {
  const key = keys[wish](space);
  await (wanted ? space.client.sadd(key, name) : space.client.srem(key, name));
  // Workers look at everything when the directory changed.
  await space.client.publish(queueDirectoryChannel(space.prefix), name);
}
