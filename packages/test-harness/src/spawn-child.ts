import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { openReaper, type Reaper } from "./open-reaper.ts";

interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface Child {
  pid: number;
  /** What it has written so far to stdout and stderr, together, in the order it arrived. */
  output(): string;
  running(): boolean;
  /** Sends the signal; with one that ends the process, resolves once it is gone. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Never rejects; resolves when the process is gone and its output is complete. */
  exited: Promise<Exit>;
}

// One for all children of this process, opened with the first: it lives as long as the process does.
let reaper: Reaper | undefined;

const survivable: ReadonlySet<NodeJS.Signals> = new Set([
  "SIGSTOP",
  "SIGCONT",
  "SIGHUP",
  "SIGUSR1",
  "SIGUSR2",
]);

/** A child that cannot outlive this process. Rejects if the command cannot be run. */
export async function spawnChild(
  command: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Promise<Child> {
  const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  reaper ??= openReaper({ graceMs: 0 });
  reaper.watch(child);
  const output = collectOutput(child);
  const exited = new Promise<Exit>((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  await once(child, "spawn");
  return {
    pid: child.pid ?? 0,
    output,
    running: () => child.exitCode === null && child.signalCode === null,
    kill: async (signal) => {
      child.kill(signal);
      if (!survivable.has(signal)) await exited;
    },
    exited,
  };
}

function collectOutput(child: ChildProcess): () => string {
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8");
    stream?.on("data", (chunk: string) => {
      text += chunk;
    });
  }
  return () => text;
}
