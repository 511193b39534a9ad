import { setTimeout as pause } from "node:timers/promises";
import {
  type ActionRecord,
  addDeadLetterCommand,
  type CommandWish,
  type DeadLetterCommand,
  noCounts,
  previewCommand,
  type QueueSpace,
  readAction,
} from "@forebay/queue-bullmq";
import type { Caller } from "../../../auth/caller.ts";
import { jsonResponse } from "../../../http/json-response.ts";
import type { TargetBody } from "./action-body.ts";
import { actionPath, actionView } from "./action-view.ts";
import type { DlqDeps } from "./dlq-deps.ts";

/** Most actions are done within this; the others are answered with where to ask. Milliseconds. */
const waitMs = 3_000;
const pollMs = 50;

/** Says what an action would do, or has dlq-handler do it: 200 with how it went, or 202 with where to ask. */
export async function askForAction(
  deps: Pick<DlqDeps, "space" | "events">,
  caller: Caller,
  wish: CommandWish,
  dryRun: boolean | undefined,
): Promise<Response> {
  const { space, events } = deps;
  const { action, target } = wish;
  if (dryRun && !("failures" in target)) {
    const preview = await previewCommand(space, action, target);
    return jsonResponse(200, { dry_run: true, action, ...preview });
  }
  const command: DeadLetterCommand = {
    ...wish,
    v: 1,
    actor: { kind: "key", key_id: caller.keyId ?? null, tenant: caller.tenant, role: caller.role },
    requested_at: new Date().toISOString(),
  };
  const id = await addDeadLetterCommand(space, command);
  events.deadLettersActedOn(id, action, caller);
  const record = await awaitAction(space, id);
  const view = actionView(
    record ?? { id, command, state: "waiting", counts: noCounts, finishedAt: undefined },
  );
  return view.finished_at === null
    ? jsonResponse(202, view, { location: actionPath(id) })
    : jsonResponse(200, view);
}

/** The action when it ended, or as it is when `waitMs` passed. */
async function awaitAction(space: QueueSpace, id: string): Promise<ActionRecord | undefined> {
  const until = performance.now() + waitMs;
  for (;;) {
    const record = await readAction(space, id);
    if (record?.finishedAt !== undefined || performance.now() > until) return record;
    await pause(pollMs);
  }
}

/** The letters a body means. */
export function targetOf({ ids, filter = {} }: TargetBody): { ids: string[] } | { filter: typeof filter } {
  return ids === undefined ? { filter } : { ids: [...new Set(ids)] };
}
