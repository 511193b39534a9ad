import type { GenerateJob, JsonValue, Lane } from "@forebay/client";
import { laneSchema } from "@forebay/queue-contracts";
import { parseFlags } from "../command.ts";
import { UsageError } from "../usage-error.ts";
import { apiFlags, apiFlagsHelp, parsePairs } from "../api-flags.ts";

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;
const many = { type: "string", multiple: true } as const;

const submitFlags = {
  ...apiFlags,
  model: text,
  system: text,
  lane: text,
  option: many,
  metadata: many,
  "idempotency-key": text,
  watch: flag,
  wait: flag,
  "cancel-on-interrupt": flag,
} as const;

export const submitFlagsHelp = `  --model NAME          model to run; default the server's
  --system TEXT         system prompt
  --lane LANE           interactive, standard or batch; default the key's
  --option KEY=VALUE    an option of Ollama's, such as num_predict=200 or temperature=0.2; as often as needed
  --metadata KEY=VALUE  comes back with the job and can be listed by; as often as needed
  --idempotency-key K   the same key with the same job gives the same job, for a day
  --watch               show the answer while it is made (see \`forebay watch --help\`)
  --wait                print the answer once it is complete
  --cancel-on-interrupt Ctrl-C while it watches or waits cancels the job instead of leaving it alone
${apiFlagsHelp}`;

export type SubmitRequest = {
  flags: ReturnType<typeof parseFlags<typeof submitFlags>>["values"];
  /** undefined: to be read from standard input. */
  prompt: string | undefined;
  job: Omit<GenerateJob, "prompt">;
};

/** Throws UsageError. */
export function parseSubmitFlags(command: string, args: readonly string[]): SubmitRequest {
  const { values: flags, positionals } = parseFlags(command, args, submitFlags, 1);
  if (flags.watch && flags.wait) throw new UsageError("--watch and --wait exclude each other", command);
  const { model, system } = flags;
  const lane = parseLane(command, flags.lane);
  const options = Object.fromEntries(
    [...parsePairs(command, "--option", flags.option)].map(([key, value]) => [key, valueOf(value)]),
  );
  const metadata = Object.fromEntries(parsePairs(command, "--metadata", flags.metadata));
  const job = {
    ...(model !== undefined && { model }),
    ...(system !== undefined && { system }),
    ...(lane !== undefined && { lane }),
    // Which options there are and what they take is the server's to say.
    ...(Object.keys(options).length > 0 && { options: options as GenerateJob["options"] & object }),
    ...(Object.keys(metadata).length > 0 && { metadata }),
  };
  return { flags, prompt: positionals[0] === "-" ? undefined : positionals[0], job };
}

export function parseLane(command: string, lane: string | undefined): Lane | undefined {
  if (lane === undefined) return undefined;
  const parsed = laneSchema.safeParse(lane);
  if (parsed.success) return parsed.data;
  throw new UsageError(`--lane must be one of ${laneSchema.options.join(", ")}, not "${lane}"`, command);
}

/** Numbers, booleans and lists as JSON has them, everything else as text. */
function valueOf(value: string): JsonValue {
  try {
    return JSON.parse(value) as JsonValue;
  } catch {
    return value;
  }
}
