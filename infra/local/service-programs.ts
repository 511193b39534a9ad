import path from "node:path";
import { httpUrl } from "@forebay/service-runtime";
import type { LocalConfig, PortVariable } from "./local-config.ts";
import { createLogFile } from "./log-file.ts";
import type { Program } from "./open-supervised.ts";

const root = path.resolve(import.meta.dirname, "../..");

// In the order of starting: the takers of requests last, so that they are the first to stop.
const opsPorts = {
  dashboard: "DASHBOARD_OPS_PORT",
  timekeeper: "TIMEKEEPER_OPS_PORT",
  "batch-runner": "BATCH_OPS_PORT",
  "dlq-handler": "DLQ_OPS_PORT",
  worker: "WORKER_OPS_PORT",
  api: "API_OPS_PORT",
} as const satisfies Record<string, PortVariable>;

export type ServiceProgram = Program & { readyUrl: string };

export const serviceNames = Object.keys(opsPorts);

/** The services, as this environment configures them, with `own` on top. */
export function createServicePrograms(
  config: LocalConfig,
  own: Readonly<Record<string, string>>,
): ServiceProgram[] {
  return Object.entries(opsPorts).map(([name, variable]) => {
    const readyUrl = `${httpUrl(config.addresses[variable])}/readyz`;
    return {
      ...createNodeProgram(config, name, `apps/${name}/src/main.ts`, []),
      env: { ...process.env, ...own, FOREBAY_DATA_DIR: config.dataDir },
      readyUrl,
      isReady: () => answersOk(readyUrl),
    };
  });
}

/** The simulator on a port of its own, with a model of each kind. */
export function createSimulatorProgram(
  config: LocalConfig,
  port: number,
  models: readonly string[],
): Program {
  const args = ["--port", String(port), "--models", models.join(",")];
  return {
    ...createNodeProgram(config, "ollama-simulator", "packages/ollama-simulator/src/main.ts", args),
    isReady: () => answersOk(`http://127.0.0.1:${port}/api/version`),
  };
}

function createNodeProgram(config: LocalConfig, name: string, file: string, args: readonly string[]) {
  return {
    name,
    command: process.execPath,
    args: [path.join(root, file), ...args],
    env: process.env,
    logFile: createLogFile(path.join(config.dataDir, "logs"), name),
  };
}

async function answersOk(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(3_000) });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}
