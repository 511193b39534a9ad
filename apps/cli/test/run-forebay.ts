import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));

type RunOptions = {
  env: Readonly<Record<string, string>>;
  input?: string;
  /** Runs it in a terminal of its own, where both outputs are one. */
  terminal?: boolean;
};
export type Ended = { status: number | null; out: string; err: string };
export type Running = AsyncDisposable & {
  readonly out: string;
  readonly err: string;
  signal(signal: NodeJS.Signals): void;
  /** As if typed; `\x03` is Ctrl-C in a terminal. */
  type(text: string): void;
  ended: Promise<Ended>;
};

/** The real command in a process of its own. */
export function startForebay(args: readonly string[], options: RunOptions): Running {
  const env = { PATH: process.env["PATH"], HOME: process.env["HOME"], TERM: "xterm", ...options.env };
  const command = [process.execPath, main, ...args];
  const child: ChildProcess = options.terminal
    ? spawn("script", ["-qefc", `stty rows 24 cols 100; ${command.map(quoted).join(" ")}`, "/dev/null"], {
        env,
      })
    : spawn(command[0] ?? "", command.slice(1), { env });
  let [out, err] = ["", ""];
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (err += text));
  // A command that does not read its input has closed it before all was written.
  child.stdin?.on("error", () => undefined);
  if (!options.terminal) child.stdin?.end(options.input ?? "");
  const ended = once(child, "close").then(() => ({ status: child.exitCode, out, err }));
  return {
    get out() {
      return out;
    },
    get err() {
      return err;
    },
    ended,
    signal: (signal) => void child.kill(signal),
    type: (text) => void child.stdin?.write(text),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

export function runForebay(args: readonly string[], options: RunOptions): Promise<Ended> {
  return startForebay(args, options).ended;
}

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
