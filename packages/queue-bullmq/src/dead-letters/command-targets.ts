import { randomBytes } from "node:crypto";
import type { QueueSpace } from "../queues/queue-space.ts";
import type { DeadLetterCommand } from "./command.ts";
import { commandQueueName } from "./command-queue.ts";
import { type DeadLetterFilter, matchesFilter, walkDeadLetters } from "./list-dead-letters.ts";

/** Which letters a command is about: fixed once, whatever happens to the letters meanwhile. */
export type CommandTargets = {
  readonly total: number;
  read(from: number, limit: number): Promise<string[]>;
  /** Not needed any more; kept for a day all the same, since the command may have to be ended a second time. */
  forget(): Promise<void>;
};

/** How long the list of an action that never ended is kept. Seconds. */
const targetsTtlS = 30 * 24 * 3_600;

/**
 * The targets of a command. What a filter matches is written down before the first letter is changed: going on
 * after a crash must not find other letters, and jobs that fail again at once must not be redriven for ever.
 */
export async function openTargets(
  space: QueueSpace,
  actionId: string,
  command: DeadLetterCommand,
): Promise<CommandTargets> {
  const { target } = command;
  if ("ids" in target) return fixedTargets(target.ids);
  if ("failures" in target) return fixedTargets(target.failures.map(({ id }) => id));
  const key = space.queue(commandQueueName).toKey(`targets-${actionId}`);
  if ((await space.client.exists(key)) === 0) await writeTargets(space, key, target.filter);
  return {
    // The first entry says that the list is complete, also when it is empty.
    total: (await space.client.llen(key)) - 1,
    read: (from, limit) => space.client.lrange(key, from + 1, from + limit),
    forget: async () => {
      await space.client.expire(key, 24 * 3_600);
    },
  };
}

function fixedTargets(ids: readonly string[]): CommandTargets {
  const unique = [...new Set(ids)];
  return {
    total: unique.length,
    read: (from, limit) => Promise.resolve(unique.slice(from, from + limit)),
    forget: () => Promise.resolve(),
  };
}

async function writeTargets(space: QueueSpace, key: string, filter: DeadLetterFilter): Promise<void> {
  // A list of our own: a handler that lost its lock on the command may be writing one, too. The first that is
  // complete is the list.
  const unfinished = `${key}-${randomBytes(6).toString("hex")}`;
  await space.client.rpush(unfinished, "complete");
  await space.client.expire(unfinished, targetsTtlS);
  const wanted = { ...filter, state: filter.state ?? "dead" };
  for await (const chunk of walkDeadLetters(space, wanted)) {
    const ids = chunk.filter(({ letter }) => letter && matchesFilter(letter, wanted));
    if (ids.length > 0) await space.client.rpush(unfinished, ...ids.map(({ position }) => position.id));
  }
  if ((await space.client.renamenx(unfinished, key)) === 0) await space.client.unlink(unfinished);
}
