import { appendAudit, type DeadLetterCommand, type QueueSpace, readAction } from "@forebay/queue-bullmq";
import type { DlqEvents } from "../events.ts";

/** What is told of a command that broke off; one that is given up leaves its entry in the audit too. */
export function auditFailedCommand(space: QueueSpace, events: DlqEvents) {
  return (id: string, command: DeadLetterCommand | undefined, error: Error, final: boolean): void => {
    events.actionFailed(id, command, error, final);
    if (final && command) void audit(space, id, command).catch((cause) => events.auditFailed(id, cause));
  };
}

async function audit(space: QueueSpace, id: string, command: DeadLetterCommand): Promise<void> {
  const action = await readAction(space, id);
  if (action) await appendAudit(space, id, command, { counts: action.counts, outcome: "failed" });
}
