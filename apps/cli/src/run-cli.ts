import { ForebayError } from "@forebay/client";
import type { CliIo, Command } from "./command.ts";
import { drainBackendCommand, undrainBackendCommand } from "./capacity/set-draining.ts";
import { pauseModelCommand, resumeModelCommand } from "./capacity/set-paused.ts";
import { showCapacityCommand } from "./capacity/show-capacity.ts";
import { createKeyCommand } from "./keys/create-key.ts";
import { importKeyCommand } from "./keys/import-key.ts";
import { listKeysCommand } from "./keys/list-keys.ts";
import { rotateKeyCommand } from "./keys/rotate-key.ts";
import { disableKeyCommand, enableKeyCommand } from "./keys/set-disabled.ts";
import { CommandError } from "./command-error.ts";
import { describeRefusal } from "./jobs/describe-refusal.ts";
import { cancelJobCommand } from "./jobs/cancel-job.ts";
import { getJobCommand } from "./jobs/get-job.ts";
import { listJobsCommand } from "./jobs/list-jobs.ts";
import { submitJobCommand } from "./jobs/submit-job.ts";
import { watchJobCommand } from "./jobs/watch-job.ts";
import { UsageError } from "./usage-error.ts";

const commands: readonly Command[] = [
  submitJobCommand,
  watchJobCommand,
  getJobCommand,
  listJobsCommand,
  cancelJobCommand,
  showCapacityCommand,
  drainBackendCommand,
  undrainBackendCommand,
  pauseModelCommand,
  resumeModelCommand,
  createKeyCommand,
  importKeyCommand,
  listKeysCommand,
  rotateKeyCommand,
  disableKeyCommand,
  enableKeyCommand,
];

const width = Math.max(...commands.map((command) => command.name.length)) + 2;

const overview = `forebay: submits jobs, follows them, and manages a deployment's hosts and API keys

${commands.map((command) => `  forebay ${command.name.padEnd(width)}${command.summary}`).join("\n")}

\`forebay <command> --help\` shows its flags. Jobs go through the API at FOREBAY_URL (default
http://127.0.0.1:8080) with the key in FOREBAY_API_KEY (or FOREBAY_API_KEY_FILE). Keys are managed in Redis itself,
found by REDIS_URL, REDIS_PASSWORD (or REDIS_PASSWORD_FILE) and FOREBAY_KEY_PREFIX, as for the services.

Exit status: 0 done, 1 failed or refused, 2 typed wrong, 3 the job ended without a result, 130 interrupted.
`;

/** Runs one command line. Returns the exit status, as the overview lists them. */
export async function runCli(args: readonly string[], io: CliIo): Promise<number> {
  try {
    await dispatch(args, io);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      io.err(`forebay: ${error.message}\nTry: forebay ${`${error.command} --help`.trim()}\n`);
      return 2;
    }
    io.err(`forebay: ${describe(error)}\n`);
    return error instanceof CommandError ? error.status : 1;
  }
}

async function dispatch(args: readonly string[], io: CliIo): Promise<void> {
  const [group, verb] = args;
  const named = (name: string) => commands.find((each) => each.name === name);
  const command = named(`${group} ${verb}`) ?? named(`${group}`);
  if (command) {
    const rest = args.slice(command.name.split(" ").length);
    if (rest.includes("--help") || rest.includes("-h")) return io.out(command.help);
    return command.run(rest, io);
  }
  const asked =
    args.find((arg) => arg === "--help" || arg === "-h") ?? (group === "help" ? group : undefined);
  if (asked !== undefined) return io.out(overview);
  throw new UsageError(args.length === 0 ? "which command?" : unknown(group, verb), "");
}

function unknown(group: string | undefined, verb: string | undefined): string {
  const known = commands.map((command) => command.name).join(", ");
  const typed = [group, verb?.startsWith("-") ? undefined : verb].filter(Boolean).join(" ");
  return `unknown command "${typed}"; there are: ${known}`;
}

function describe(error: unknown): string {
  if (error instanceof ForebayError) return describeRefusal(error);
  return error instanceof Error ? error.message : String(error);
}
