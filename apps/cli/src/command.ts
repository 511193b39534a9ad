import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { UsageError } from "./usage-error.ts";

/** What a command may touch of the world. */
export type CliIo = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: NodeJS.ReadStream;
  out(text: string): void;
  err(text: string): void;
  /** What `err` writes to, and `out`; undefined: a file or a pipe. */
  readonly terminal: { readonly err: TerminalSize | undefined; readonly out: TerminalSize | undefined };
  /** Calls `handler` at every Ctrl-C (or SIGTERM), instead of ending the process, until disposed. */
  onInterrupt(handler: () => void): Disposable;
};

export type TerminalSize = { readonly columns: number; readonly rows: number };

export type Command = {
  /** As typed after `forebay`. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  readonly help: string;
  /**
   * Throws UsageError for what was typed wrong, CommandError to end with a status of its own; any other error is a
   * failure of the work itself.
   */
  run(args: readonly string[], io: CliIo): Promise<void>;
};

/**
 * Flags and at most `positionals` plain arguments; whatever else was typed is a mistake to be told.
 * Throws UsageError.
 */
export function parseFlags<const O extends ParseArgsOptionsConfig>(
  command: string,
  args: readonly string[],
  options: O,
  positionals: number,
) {
  const parsed = tryParse(command, args, options);
  const extra = parsed.positionals[positionals];
  if (extra !== undefined) {
    // npm keeps flags that come before `--` for itself, and hands on their values alone.
    throw new UsageError(
      `unexpected argument "${extra}" (with npm, put -- first: npm run forebay -- ${command} …)`,
      command,
    );
  }
  return parsed;
}

function tryParse<const O extends ParseArgsOptionsConfig>(
  command: string,
  args: readonly string[],
  options: O,
) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // Node's advice after the first sentence is about its own API.
    throw new UsageError(error.message.split(/\.( |$)/)[0] ?? error.message, command, { cause: error });
  }
}
