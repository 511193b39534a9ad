import type { BackendCapacity, Capacity, ModelCapacity } from "@forebay/client";
import { formatSeconds } from "../format-seconds.ts";
import { formatTable } from "../format-table.ts";

/** Hosts with their models, and models with what waits for them, for a person. */
export function describeCapacity({ workers, backends, models }: Capacity): string {
  if (workers === 0) return `No worker is alive: jobs wait.\n${linesOf(models)}`;
  const head = ["HOST", "STATE", "OLLAMA", "MODEL", "MEMORY", "SLOTS", "BUSY"];
  const hosts = formatTable([head, ...backends.flatMap(rowsOf)]);
  return `${hosts}${linesOf(models)}`;
}

function rowsOf(backend: BackendCapacity): string[][] {
  const host = [backend.name, stateOf(backend), backend.version ?? "unknown"];
  const models = backend.models.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  if (models.length === 0) return [[...host, "none"]];
  return models.map((model, index) => [
    ...(index === 0 ? host : ["", "", ""]),
    model.name,
    memoryOf(model, backend.loading),
    String(model.slots),
    String(model.busy),
  ]);
}

function stateOf({ up, draining, models }: BackendCapacity): string {
  if (!up) return draining ? "down, drained" : "down";
  if (!draining) return "up";
  return models.some(({ busy }) => busy > 0) ? "draining" : "drained";
}

function memoryOf({ name, loaded, out }: BackendCapacity["models"][number], loading: string | null): string {
  if (out) return "out";
  if (loaded) return "loaded";
  // It tells the runner options too, after the model's name.
  return loading === name || loading?.startsWith(`${name} `) ? "loading" : "-";
}

function linesOf(models: readonly ModelCapacity[]): string {
  if (models.length === 0) return "";
  const head = ["MODEL", "STATE", "SLOTS", "RUNNING", "WAITING", "DELAYED", "OLDEST", "WORK", "STARTS"];
  const rows = models.map((model) => [
    model.name,
    model.paused ? "paused" : "open",
    String(model.slots),
    String(model.active),
    model.held > 0 ? `${model.waiting} (${model.held} held)` : String(model.waiting),
    String(model.delayed),
    ...(model.waiting === 0
      ? ["-", "-"]
      : [formatSeconds(model.oldest_waiting_s * 1_000), formatSeconds(model.work_s * 1_000)]),
    startOf(model),
  ]);
  return `\n${formatTable([head, ...rows])}`;
}

function startOf({ paused, eta_s }: ModelCapacity): string {
  if (paused) return "when resumed";
  if (eta_s === null) return "unknown";
  return eta_s === 0 ? "at once" : `in ${formatSeconds(eta_s * 1_000)}`;
}
