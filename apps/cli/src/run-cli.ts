import { ConfigError } from "@forebay/service-runtime";
import type { CliIo, Command } from "./command.ts";
import { createKeyCommand } from "./keys/create-key.ts";
import { importKeyCommand } from "./keys/import-key.ts";
import { listKeysCommand } from "./keys/list-keys.ts";
import { rotateKeyCommand } from "./keys/rotate-key.ts";
import { disableKeyCommand, enableKeyCommand } from "./keys/set-disabled.ts";
import { UsageError } from "./usage-error.ts";

const commands: readonly Command[] = [
  createKeyCommand,
  importKeyCommand,
  listKeysCommand,
  rotateKeyCommand,
  disableKeyCommand,
  enableKeyCommand,
];

const width = Math.max(...commands.map((command) => command.name.length)) + 2;

const overview = `forebay: manages a Forebay deployment

${commands.map((command) => `  forebay ${command.name.padEnd(width)}${command.summary}`).join("\n")}

\`forebay <command> --help\` shows its flags. Redis is found by REDIS_URL, REDIS_PASSWORD (or
REDIS_PASSWORD_FILE) and FOREBAY_KEY_PREFIX, as for the services.
`;

/** Runs one command line. Returns the exit status: 0 done, 1 failed, 2 typed wrong. */
export async function runCli(args: readonly string[], io: CliIo): Promise<number> {
  try {
    await dispatch(args, io);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      io.err(`forebay: ${error.message}\nTry: forebay ${`${error.command} --help`.trim()}\n`);
      return 2;
    }
    io.err(`forebay: ${error instanceof ConfigError ? error.message : describe(error)}\n`);
    return 1;
  }
}

async function dispatch(args: readonly string[], io: CliIo): Promise<void> {
  const [group, verb, ...rest] = args;
  const command = commands.find((each) => each.name === `${group} ${verb}`);
  if (command) {
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
  return `unknown command "${[group, verb].filter(Boolean).join(" ")}"; there are: ${known}`;
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
