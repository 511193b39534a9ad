import { type ForebayClient, ForebayError } from "@forebay/client";
import { CommandError, interruptedStatus } from "../command-error.ts";
import type { CliIo } from "../command.ts";

/** How long a second Ctrl-C can follow the first. Milliseconds. */
const secondMs = 2_000;
/** A running job ends within a second of being cancelled; this is for servers in trouble. Milliseconds. */
const cancelMs = 10_000;

export type Interrupts = Disposable & {
  /** Aborted when the job is not to be followed any longer. */
  readonly signal: AbortSignal;
  /** Once aborted: does with the job what was asked for, and returns what is to be said. */
  settle(): Promise<CommandError>;
};

/** Ctrl-C leaves the job alone, and cancels it when pressed twice, or at once if `cancelFirst`. */
export function openInterrupts(
  client: ForebayClient,
  id: string,
  io: CliIo,
  cancelFirst: boolean,
): Interrupts {
  const following = new AbortController();
  const cancelling = Promise.withResolvers<void>();
  let presses = 0;
  const handler = io.onInterrupt(() => {
    presses++;
    if (cancelFirst || presses > 1) cancelling.resolve();
    following.abort(new CommandError("interrupted", interruptedStatus));
  });
  const detached = `The job goes on. Follow it again: forebay watch ${id}\nStop it: forebay cancel ${id}`;

  return {
    signal: following.signal,
    async settle() {
      if (!cancelFirst) io.err(`\nforebay: detached. Press Ctrl-C again to cancel the job.\n`);
      const timer = cancelFirst ? undefined : setTimeout(cancelling.reject, secondMs);
      const cancel = await cancelling.promise.then(
        () => true,
        () => false,
      );
      clearTimeout(timer);
      if (!cancel) return new CommandError(detached, interruptedStatus);
      return new CommandError(await cancelJob(client, id), interruptedStatus);
    },
    [Symbol.dispose]: () => handler[Symbol.dispose](),
  };
}

async function cancelJob(client: ForebayClient, id: string): Promise<string> {
  const signal = AbortSignal.timeout(cancelMs);
  try {
    await client.cancel(id, { signal });
  } catch (error) {
    if (!(error instanceof ForebayError && error.code === "already_finished")) throw error;
  }
  const { state } = await client.wait(id, { timeoutMs: cancelMs, signal });
  return state === "cancelled" ? `cancelled ${id}` : `${id} is ${state}`;
}
