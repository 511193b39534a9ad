import type { QueueSpace } from "../queues/queue-space.ts";

/**
 * Jobs whose callers lost their connection before they were answered, by what was asked. A client that makes the same
 * call again takes one of them; which of several does not matter, since they were asked the same.
 */
export type LeftCall = {
  readonly tenant: string /** Of the call; equal for equal calls. */;
  readonly fingerprint: string;
};

/** Longer than any SDK waits before it tries again. */
const rememberedS = 120;

const leftKey = (space: QueueSpace, { tenant, fingerprint }: LeftCall): string =>
  space.key("left", tenant, fingerprint);

export async function leaveCall(space: QueueSpace, call: LeftCall, id: string): Promise<void> {
  const key = leftKey(space, call);
  await space.client.multi().sadd(key, id).expire(key, rememberedS).exec();
}

/** A job left behind by such a call, which is nobody else's from now on; undefined: there is none. */
export async function takeLeftCall(space: QueueSpace, call: LeftCall): Promise<string | undefined> {
  return (await space.client.spop(leftKey(space, call))) ?? undefined;
}

/** Takes back that it was left; false: somebody has taken it. */
export async function withdrawLeftCall(space: QueueSpace, call: LeftCall, id: string): Promise<boolean> {
  return (await space.client.srem(leftKey(space, call), id)) === 1;
}
