import { setTimeout as sleep } from "node:timers/promises";
import {
  askModelChange,
  type ChangeLine,
  type ModelChange,
  type QueueSpace,
  readModelChange,
} from "@forebay/queue-bullmq";

/** What is heard of a change: where a host is, and in the end what went wrong. */
export type ChangeEvent =
  | { readonly kind: "line"; readonly line: ChangeLine }
  | { readonly kind: "failed"; readonly status: number; readonly error: string };

/** A progress bar needs no more; there are never many who change models at once. */
const lookEveryMs = 250;
/** Of a host that says nothing new for so many looks, and then after so many more, it is said that we wait for it. */
const silentLooks = { first: 4, between: 40 };

/**
 * Asks for the change on each of the hosts and tells how it goes, until all are done. With several hosts lines and errors
 * say whose they are. Ends early, without a word, when the signal aborts: the change goes on.
 */
export async function* followChanges(
  space: QueueSpace,
  backends: readonly string[],
  change: ModelChange,
  signal: AbortSignal,
): AsyncGenerator<ChangeEvent> {
  const alone = backends.length === 1;
  const asked = backends.map(async (backend) => ({
    backend,
    id: await askModelChange(space, backend, change),
    heard: "",
    silent: 0,
  }));
  let open = await Promise.all(asked);
  let status = 200;
  const errors: string[] = [];
  for (;;) {
    for (const each of open) {
      const { backend, id } = each;
      const view = (await readModelChange(space, backend, id)) ?? { line: undefined, end: forgotten };
      const text = JSON.stringify(view.line ?? null);
      const news = view.line && text !== each.heard;
      each.silent = news ? 0 : each.silent + 1;
      each.heard = text;
      if (news) yield { kind: "line", line: alone ? view.line : { ...view.line, backend } };
      if (!view.end && each.silent % silentLooks.between === silentLooks.first)
        yield { kind: "line", line: waitingFor(backend) };
      if (!view.end) continue;
      open = open.filter((other) => other !== each);
      if (view.end.status === 200) continue;
      status = view.end.status;
      const error = view.end.error ?? "the change failed";
      errors.push(alone ? error : `${backend}: ${error}`);
    }
    if (open.length === 0) break;
    await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
  }
  if (errors.length > 0) yield { kind: "failed", status, error: errors.join("; ") };
}

const forgotten = { status: 500, error: "Redis has forgotten the change; ask for it again" };
const waitingFor = (backend: string): ChangeLine => ({ status: `waiting for ${backend}` });
