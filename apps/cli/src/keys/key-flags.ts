import { type KeyInput, keyInputSchema } from "@forebay/access-keys";
import { type Lane, laneSchema } from "@forebay/queue-contracts";
import type { z } from "zod";
import { parseFlags } from "../command.ts";
import { UsageError } from "../usage-error.ts";
import { parseExpiry } from "./parse-expiry.ts";

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;

const keyFlags = {
  name: text,
  tenant: text,
  role: text,
  models: text,
  lanes: text,
  "default-lane": text,
  weight: text,
  "jobs-open-max": text,
  "jobs-running-max": text,
  "requests-per-min": text,
  "tokens-per-min": text,
  "tokens-per-day": text,
  expires: text,
  "if-none": flag,
  json: flag,
} as const;

export const keyFlagsHelp = `  --name NAME           what the key is for (required)
  --tenant TENANT       whose jobs it makes and sees; unit of fairness (required)
  --role ROLE           client (default), operator (dead letters, dashboard) or admin (prompts, keys)
  --models A,B          models it may use; default all
  --lanes A,B           lanes it may use: interactive, standard, batch; default all
  --default-lane LANE   lane of jobs that name none; default standard, or the first of --lanes
  --weight N            share of the tenant when GPUs are short, relative to the others' 1
  --jobs-open-max N     jobs of the tenant that may be open at once
  --jobs-running-max N  and that may run at once, over all models and hosts; the others wait
  --requests-per-min N  jobs of the tenant taken per minute
  --tokens-per-min N    tokens its jobs may read and write per minute
  --tokens-per-day N    and per day, in UTC
  --expires WHEN        after a span (12h, 30d, 8w) or at a time (2027-01-31T00:00:00Z); default never
  --if-none             do nothing, successfully, if there is any key already
  --json                print JSON
`;

export type KeyRequest = { input: KeyInput; ifNone: boolean; json: boolean };

/** What is to be made, from the command line. Throws UsageError naming the flag. */
export function parseKeyFlags(command: string, args: readonly string[], now: number): KeyRequest {
  const { values } = parseFlags(command, args, keyFlags, 0);
  const lanes = listOf(values.lanes);
  const input = {
    name: values.name,
    tenant: values.tenant,
    role: values.role,
    models: listOf(values.models),
    lanes,
    default_lane: values["default-lane"] ?? firstOf(lanes),
    weight: numberOf(values.weight),
    limits: withoutUndefined({
      jobs_open_max: numberOf(values["jobs-open-max"]),
      jobs_running_max: numberOf(values["jobs-running-max"]),
      requests_per_min: numberOf(values["requests-per-min"]),
      tokens_per_min: numberOf(values["tokens-per-min"]),
      tokens_per_day: numberOf(values["tokens-per-day"]),
    }),
    expires_at: expiryOf(command, values.expires, now),
  };
  const parsed = keyInputSchema.safeParse(withoutUndefined(input));
  if (!parsed.success) throw new UsageError(parsed.error.issues.map(describeIssue).join("; "), command);
  if (parsed.data.lanes?.includes(parsed.data.default_lane) === false) {
    throw new UsageError(`--default-lane must be one of --lanes (${parsed.data.lanes.join(", ")})`, command);
  }
  return { input: parsed.data, ifNone: values["if-none"] ?? false, json: values.json ?? false };
}

function listOf(text: string | undefined): string[] | undefined {
  return text?.split(",").map((part) => part.trim());
}

// Who allows only some lanes means one of them when a job names none.
function firstOf(lanes: readonly string[] | undefined): string | undefined {
  const standard: Lane = laneSchema.enum.standard;
  return lanes === undefined || lanes.includes(standard) ? undefined : lanes[0];
}

// Number("") is 0: an empty value must not pass as one.
function numberOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return text.trim() === "" ? Number.NaN : Number(text);
}

function expiryOf(command: string, text: string | undefined, now: number): string | undefined {
  if (text === undefined) return undefined;
  const at = parseExpiry(text, now);
  if (at !== undefined) return at;
  throw new UsageError(
    `--expires must be a span (12h, 30d, 8w) or a time to come (2027-01-31T00:00:00Z), not "${text}"`,
    command,
  );
}

function withoutUndefined(input: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
}

const flagOfField: Readonly<Record<string, string>> = {
  expires_at: "expires",
};

function describeIssue(issue: z.core.$ZodIssue): string {
  const field = String(issue.path[0]);
  const limit = field === "limits" ? issue.path[1] : undefined;
  const missing = issue.code === "invalid_type" && issue.input === undefined && field !== "limits";
  const problem = missing && (field === "name" || field === "tenant") ? "is required" : issue.message;
  const flag = String(limit ?? flagOfField[field] ?? field).replaceAll("_", "-");
  return `--${flag} ${problem.replace(/^Invalid (input|option): /, "")}`;
}
