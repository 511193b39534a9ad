import { mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { freePort, type ProcessHandle, type ProcessOptions, startProcess } from "@forebay/test-harness";
import { findOnPath } from "../ensure-system-package.mjs";

const root = path.resolve(import.meta.dirname, "../../..");
const bootstrap = path.resolve(import.meta.dirname, "../bootstrap.mjs");
const portVariables = [
  "API_PORT",
  "API_OPS_PORT",
  "WORKER_OPS_PORT",
  "DLQ_OPS_PORT",
  "TIMEKEEPER_OPS_PORT",
  "BATCH_OPS_PORT",
  "DASHBOARD_PORT",
  "DASHBOARD_OPS_PORT",
];

/** A place for one `npm start`: ports and a data directory that nobody else uses. */
export interface LocalRun extends AsyncDisposable {
  env: Record<string, string>;
  dataDir: string;
  /** What `npm start` runs; ready means that it has printed the URLs. */
  start(options?: Partial<ProcessOptions>): Promise<ProcessHandle>;
  /** `npm start` itself. */
  npmStart(): Promise<ProcessHandle>;
  /** Everything that runs here, by what it was started with; empty when nothing is left. */
  processes(): Map<number, string>;
}

export async function createLocalRun(env: Readonly<Record<string, string>> = {}): Promise<LocalRun> {
  const dataDir = mkdtempSync(path.join(tmpdir(), "forebay-start-"));
  const ports = await Promise.all(portVariables.map(async (name) => [name, String(await freePort())]));
  const own = { ...Object.fromEntries(ports), FOREBAY_DATA_DIR: dataDir, ...env };
  const started: ProcessHandle[] = [];
  async function launch(options: ProcessOptions): Promise<ProcessHandle> {
    const handle = await startProcess(options);
    started.push(handle);
    return handle;
  }
  const usual = { ready: /Forebay is up/, readyTimeoutMs: 60_000, cwd: root, env: own };
  return {
    env: own,
    dataDir,
    start: ({ args = [], ...rest } = {}) =>
      launch({ ...usual, file: bootstrap, args: ["start", ...args], ...rest }),
    npmStart: () => launch({ ...usual, file: realpathSync(String(findOnPath("npm"))), args: ["start"] }),
    processes: () => findProcesses(dataDir),
    [Symbol.asyncDispose]: async () => {
      for (const handle of started) await handle.stop(60_000);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function findProcesses(dataDir: string): Map<number, string> {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const ours = (pid: string) =>
    read(`/proc/${pid}/environ`).includes(`FOREBAY_DATA_DIR=${dataDir}\0`) ||
    // Redis writes its title over its environment.
    workingDirectory(pid).startsWith(dataDir);
  return new Map(
    pids.filter(ours).map((pid) => [Number(pid), read(`/proc/${pid}/cmdline`).replaceAll("\0", " ")]),
  );
}

function workingDirectory(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return "";
  }
}

// A process may be gone by the time it is looked at.
function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
