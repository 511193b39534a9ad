import type { JobSummary, ListQuery } from "@forebay/client";
import { jobStateSchema } from "@forebay/queue-contracts";
import { type Command, parseFlags } from "../command.ts";
import { formatTable } from "../format-table.ts";
import { UsageError } from "../usage-error.ts";
import { apiFlags, apiFlagsHelp, openClient, parsePairs, tellRetries } from "../api-flags.ts";
import { parseLane } from "./submit-flags.ts";

const text = { type: "string" } as const;
const listFlags = {
  ...apiFlags,
  state: text,
  model: text,
  lane: text,
  metadata: { type: "string", multiple: true },
  after: text,
  limit: text,
  cursor: text,
} as const;

export const listJobsCommand: Command = {
  name: "list",
  summary: "list the key's tenant's jobs, newest first",
  help: `forebay list [flags]

  --state STATE         waiting, delayed, active, completed, failed, cancelled, expired or timed_out
  --model NAME
  --lane LANE
  --metadata KEY=VALUE  only jobs with this pair; as often as needed
  --after TIME          only jobs made after this time (2027-01-31T00:00:00Z)
  --limit N             at most so many, up to 100; default 20
  --cursor CURSOR       the next page, as the page before says
${apiFlagsHelp}`,
  async run(args, io) {
    const { values } = parseFlags(this.name, args, listFlags, 0);
    const query: ListQuery = {
      state: parseState(this.name, values.state),
      model: values.model,
      lane: parseLane(this.name, values.lane),
      metadata: Object.fromEntries(parsePairs(this.name, "--metadata", values.metadata)),
      createdAfter: values.after,
      limit: values.limit === undefined ? undefined : parseLimit(this.name, values.limit),
      cursor: values.cursor,
    };
    const page = await openClient(this.name, values, io).list(query, tellRetries(io));
    if (values.json) return io.out(`${JSON.stringify(page)}\n`);
    io.out(page.jobs.length === 0 ? "No jobs.\n" : jobsToTable(page.jobs));
    if (page.next_cursor !== null) io.err(`More: the same with --cursor ${page.next_cursor}\n`);
  },
};

function jobsToTable(jobs: readonly JobSummary[]): string {
  const rows = jobs.map(({ job_id, state, model, lane, progress, created_at, metadata }) => [
    job_id,
    state,
    model ?? "unknown",
    lane ?? "unknown",
    String(progress.tokens),
    created_at,
    Object.entries(metadata)
      .map(([key, value]) => `${key}=${value}`)
      .join(" "),
  ]);
  return formatTable([["ID", "STATE", "MODEL", "LANE", "TOKENS", "CREATED", "METADATA"], ...rows]);
}

function parseState(command: string, state: string | undefined): ListQuery["state"] {
  if (state === undefined) return undefined;
  const parsed = jobStateSchema.safeParse(state);
  if (parsed.success) return parsed.data;
  throw new UsageError(
    `--state must be one of ${jobStateSchema.options.join(", ")}, not "${state}"`,
    command,
  );
}

function parseLimit(command: string, limit: string): number {
  const number = Number(limit);
  if (limit.trim() !== "" && Number.isInteger(number) && number >= 1 && number <= 100) return number;
  throw new UsageError(`--limit must be a number from 1 to 100, not "${limit}"`, command);
}
