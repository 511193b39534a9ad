import type { Redis } from "./open-redis.ts";
import { writeNow } from "./turn-redis.ts";

/** A call that is made together with others of its kind (`of`) and its turn. */
export type GroupedCall<Item, Answer> = (of: string, item: Item) => Promise<Answer>;

export type GroupOptions = {
  /** Its turn is over when a group is sent: the next one's end would be a turn later. */
  readonly client: Redis;
  /** More do not wait for each other: Redis is to work on the first while the rest are being made. */
  readonly callsMax: number;
  /** Whether a failure may be the fault of one of several: then each is tried by itself. Default: it is everybody's. */
  readonly isOfOne?: (error: unknown) => boolean;
};

/**
 * Makes calls of one turn of the event loop as one: most of what a short command costs, here and in Redis, is that it
 * is a command. None waits for an answer to another one.
 *
 * @param run answers each of the items, in their order, or fails all of them
 */
export function groupCalls<Item, Answer>(
  run: (items: readonly Item[]) => Promise<readonly Answer[]>,
  { client, callsMax, isOfOne = () => false }: GroupOptions,
): GroupedCall<Item, Answer> {
  type Pending = PromiseWithResolvers<Answer> & { readonly item: Item };
  const gathering = new Map<string, Pending[]>();

  const begin = (of: string): void => {
    const group = gathering.get(of);
    gathering.delete(of);
    if (!group) return;
    void settle(group);
    writeNow(client);
  };
  const settle = async (group: readonly Pending[]): Promise<void> => {
    try {
      const answers = await run(group.map(({ item }) => item));
      if (answers.length !== group.length)
        throw new Error(`${answers.length} answers to ${group.length} calls`);
      for (const [index, answer] of answers.entries()) group[index]?.resolve(answer);
    } catch (error) {
      if (group.length > 1 && isOfOne(error)) await Promise.all(group.map((each) => settle([each])));
      else for (const { reject } of group) reject(error);
    }
  };
  return (of, item) => {
    const pending = { ...Promise.withResolvers<Answer>(), item };
    const group = gathering.get(of);
    if (!group) {
      gathering.set(of, [pending]);
      setImmediate(begin, of);
    } else if (group.push(pending) === callsMax) begin(of);
    return pending.promise;
  };
}
