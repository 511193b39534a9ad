import { type DeadLetter, type FailureCode, failureCodeSchema } from "@forebay/queue-contracts";
import { z } from "zod";

export type RedriveRule = {
  /** As it was written, for the audit. */ readonly text: string;
  readonly code: FailureCode;
  /** A letter that was put back this often, by whomever, is left for a person. */
  readonly timesMax: number;
  /** From its failure to its redrive. Milliseconds. */
  readonly delayMs: number;
};

/** Which failures are redriven without anybody asking. Empty: none. */
export type RedrivePolicy = readonly RedriveRule[];

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000 };
/** A later redrive would outlive the dead letter. */
const delayMaxMs = 7 * 24 * unitMs.h;

/** `backend_reset:3@60s,runner_crashed:1@5m`: up to 3 times, each 60 s after the failure; … */
export const redrivePolicySchema = z.string().transform((text, context): RedrivePolicy => {
  const entries = text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  const rules: RedriveRule[] = [];
  for (const entry of entries) {
    const rule = parseRule(entry);
    if (typeof rule === "string") context.addIssue(rule);
    else if (rules.some(({ code }) => code === rule.code)) context.addIssue(`${rule.code} has two rules`);
    else rules.push(rule);
  }
  return rules;
});

/** The rule, or what is wrong with it. */
function parseRule(text: string): RedriveRule | string {
  const [, name, times, delay, unit] = /^(\w+):(\d{1,3})@(\d{1,6})([smh])$/.exec(text) ?? [];
  if (name === undefined) return `"${text}" is not code:times@delay, such as backend_reset:3@60s`;
  const code = failureCodeSchema.safeParse(name).data;
  if (!code) return `"${name}" is not a failure code`;
  if (code === "cancelled" || code === "expired") return `${code} jobs are never dead letters`;
  const delayMs = Number(delay) * unitMs[unit as keyof typeof unitMs];
  if (delayMs > delayMaxMs) return `"${text}" waits longer than 7 days`;
  if (Number(times) === 0) return `"${text}" would never redrive; leave it out`;
  return { text, code, timesMax: Number(times), delayMs };
}

/** The rule that puts this letter back, or undefined: a person decides. */
export function decideRedrive(
  policy: RedrivePolicy,
  letter: Pick<DeadLetter, "state" | "failure" | "redrives">,
): RedriveRule | undefined {
  if (letter.state !== "dead") return undefined;
  const rule = policy.find(({ code }) => code === letter.failure.code);
  return rule && letter.redrives < rule.timesMax ? rule : undefined;
}
