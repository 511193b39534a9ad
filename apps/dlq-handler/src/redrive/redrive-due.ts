import { createHash } from "node:crypto";
import {
  addDeadLetterCommand,
  clearDueLetters,
  type DeadLetterSummary,
  type QueueSpace,
  readDueLetters,
} from "@forebay/queue-bullmq";
import { decideRedrive, type RedrivePolicy, type RedriveRule } from "./redrive-policy.ts";

const lettersAtOnce = 200;

export type DueRedrives = {
  readonly space: QueueSpace;
  readonly autoRedrive: RedrivePolicy;
  readonly now: () => number;
};

/**
 * Asks for the redrive of every letter whose time has come, by the same commands a person would use. The
 * policy is asked again, since it may have been changed meanwhile. Returns how many letters were due.
 */
export async function redriveDue({ space, autoRedrive, now }: DueRedrives): Promise<number> {
  const nowMs = now();
  const due = await readDueLetters(space, nowMs, lettersAtOnce);
  const byRule = new Map<RedriveRule, DeadLetterSummary[]>();
  for (const { letter } of due) {
    const rule = letter && decideRedrive(autoRedrive, letter);
    if (rule) byRule.set(rule, [...(byRule.get(rule) ?? []), letter]);
  }
  for (const [rule, letters] of byRule) await askFor(space, rule, letters, nowMs);
  // After the commands: a kill in between asks a second time, and the second command finds nothing to do.
  await clearDueLetters(
    space,
    nowMs,
    due.map(({ id }) => id),
  );
  return due.length;
}

async function askFor(
  space: QueueSpace,
  rule: RedriveRule,
  letters: readonly DeadLetterSummary[],
  nowMs: number,
): Promise<void> {
  const failures = letters.map(({ job_id, last_failed_at }) => ({ id: job_id, failed_at: last_failed_at }));
  // Named after what it is about, so that two handlers that see the same letters ask for one action.
  const digest = createHash("sha256").update(JSON.stringify(failures)).digest("hex").slice(0, 32);
  const command = {
    action: "redrive",
    v: 1,
    actor: { kind: "policy", rule: rule.text },
    requested_at: new Date(nowMs).toISOString(),
    target: { failures },
  } as const;
  await addDeadLetterCommand(space, command, `auto-${digest}`);
}
