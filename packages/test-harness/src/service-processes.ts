import { fileURLToPath } from "node:url";
import { freePort } from "./free-port.ts";
import { type ProcessHandle, startProcess } from "./start-process.ts";

export const serviceNames = [
  "api",
  "worker",
  "dlq-handler",
  "timekeeper",
  "batch-runner",
  "dashboard",
] as const;
export type ServiceName = (typeof serviceNames)[number];

export interface ServiceProcess extends ProcessHandle {
  name: ServiceName;
  /** Where it serves clients; undefined for services that have only an ops port. */
  url: string | undefined;
  opsUrl: string;
}

const root = new URL("../../../", import.meta.url);

// Which variables choose the ports of a service.
const ports: Record<ServiceName, { ops: string; client?: string }> = {
  api: { ops: "API_OPS_PORT", client: "API_PORT" },
  worker: { ops: "WORKER_OPS_PORT" },
  "dlq-handler": { ops: "DLQ_OPS_PORT" },
  timekeeper: { ops: "TIMEKEEPER_OPS_PORT" },
  "batch-runner": { ops: "BATCH_OPS_PORT" },
  dashboard: { ops: "DASHBOARD_OPS_PORT", client: "DASHBOARD_PORT" },
};

/** The service's own main.ts on free ports, once its `/readyz` answers 200. */
export async function startService(
  name: ServiceName,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ServiceProcess> {
  const { ops, client } = ports[name];
  const [opsPort, clientPort] = [await freePort(), client && (await freePort())];
  const opsUrl = `http://127.0.0.1:${opsPort}`;
  const chosen = { [ops]: String(opsPort), ...(client && { [client]: String(clientPort) }) };
  const handle = await startProcess({
    file: fileURLToPath(new URL(`apps/${name}/src/main.ts`, root)),
    env: { ...chosen, ...env },
    ready: `${opsUrl}/readyz`,
    readyTimeoutMs: 30_000,
  });
  return { ...handle, name, url: clientPort ? `http://127.0.0.1:${clientPort}` : undefined, opsUrl };
}

/** The simulator as a process of its own: an Ollama that can be killed. */
export async function startSimulator(args: readonly string[] = []): Promise<ProcessHandle & { url: string }> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const handle = await startProcess({
    file: fileURLToPath(new URL("packages/ollama-simulator/src/main.ts", root)),
    args: ["--port", String(port), ...args],
    ready: `${url}/api/version`,
  });
  return { ...handle, url };
}
