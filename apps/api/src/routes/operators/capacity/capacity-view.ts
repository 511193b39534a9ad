import type { OperatorWishes, QueueGauges, WorkerLease } from "@forebay/queue-bullmq";
import { canonicalModelName } from "@forebay/queue-contracts";
import { z } from "zod";
import type { EtaMs } from "../../../admission/forecasts.ts";
import { etaView } from "../../jobs/eta-view.ts";

const count = z.int().min(0);

export const capacityViewSchema = z
  .object({
    workers: count.describe("Worker processes that are alive."),
    backends: z
      .array(
        z.object({
          name: z.string(),
          up: z.boolean().describe("Whether it answers."),
          draining: z.boolean().describe("It finishes what it runs and is given nothing new."),
          version: z.string().nullable().describe("Ollama's; null: not known."),
          workers: z.array(z.string()).describe("The workers that feed it."),
          loaded: z.array(z.string()).describe("Models in its memory, with the runner options they have."),
          loading: z.string().nullable().describe("What it is loading for a job; null: nothing."),
          models: z.array(
            z.object({
              name: z.string(),
              loaded: z.boolean(),
              slots: count.describe("Jobs of this model that run on it at once, configured or learned."),
              busy: count.describe("Of them, those that run."),
              out: z.boolean().describe("Left alone for a while, after failures."),
            }),
          ),
        }),
      )
      .describe("Every backend a live worker feeds, once, however many feed it."),
    models: z
      .array(
        z.object({
          name: z.string(),
          paused: z.boolean().describe("Its jobs wait because an operator said so."),
          slots: count.describe("Jobs of it that can run at once now."),
          waiting: count,
          held: count.describe(
            "Of those waiting, the ones passed over because their tenant runs as many jobs as it may.",
          ),
          active: count,
          delayed: count,
          oldest_waiting_s: z.number().describe("Age of the job that has waited longest; 0: none waits."),
          work_s: z
            .number()
            .describe("Seconds of a slot that its waiting jobs are expected to take, those held apart."),
          eta_s: z
            .number()
            .nullable()
            .describe(
              "Seconds until a job at the end of its line would start; null: nobody can tell, or it is paused.",
            ),
        }),
      )
      .describe("Every model that has a queue, over all of its context sizes."),
  })
  .meta({ id: "Capacity" });
export type CapacityView = z.infer<typeof capacityViewSchema>;
type BackendView = CapacityView["backends"][number];
type ModelView = CapacityView["models"][number];

/** What one queue adds to what is said of its model. */
export type QueueCapacity = {
  readonly model: string;
  readonly gauges: QueueGauges;
  readonly workMs: number;
  /** When a job at the end of its line would start. */ readonly end: EtaMs | undefined;
};

/** What there is, what of it is used, and what waits for it. */
export function capacityView(
  leases: readonly WorkerLease[],
  wishes: OperatorWishes,
  queues: readonly QueueCapacity[],
): CapacityView {
  const backends = new Map<string, BackendView>();
  for (const lease of leases) {
    for (const backend of lease.backends) addBackend(backends, backend, lease.worker, wishes);
  }
  const paused = new Set([...wishes.paused].map(canonicalModelName));
  const models = new Map<string, ModelView>();
  for (const queue of queues) addQueue(models, queue);
  for (const model of models.values()) {
    model.paused = paused.has(model.name);
    if (model.paused) model.eta_s = null;
    else model.slots = slotsOf(model.name, [...backends.values()]);
  }
  const byName = <T extends { name: string }>(all: Map<string, T>): T[] =>
    [...all.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return { workers: leases.length, backends: byName(backends), models: byName(models) };
}

/** Each worker knows its own calls: what runs is their sum, everything else is the same for all. */
function addBackend(
  backends: Map<string, BackendView>,
  seen: WorkerLease["backends"][number],
  worker: string,
  wishes: OperatorWishes,
): void {
  const known = backends.get(seen.name);
  const view = known ?? {
    name: seen.name,
    up: false,
    draining: wishes.draining.has(seen.name),
    version: seen.version ?? null,
    workers: [],
    loaded: [],
    loading: null,
    models: [],
  };
  view.up ||= seen.up;
  view.workers.push(worker);
  view.loaded = [...new Set([...view.loaded, ...(seen.loaded ?? [])])].toSorted();
  view.loading ??= seen.loading ?? null;
  for (const model of seen.models) {
    const { name, loaded, slots = seen.slots, busy = 0, out = false } = model;
    const same = view.models.find((each) => each.name === name);
    if (!same) view.models.push({ name, loaded, slots, busy, out });
    else {
      same.loaded ||= loaded;
      same.slots = Math.max(same.slots, slots);
      same.busy += busy;
      same.out &&= out;
    }
  }
  if (!known) backends.set(seen.name, view);
}

function addQueue(models: Map<string, ModelView>, { model, gauges, workMs, end }: QueueCapacity): void {
  const view = models.get(model) ?? {
    name: model,
    paused: false,
    slots: 0,
    waiting: 0,
    held: 0,
    active: 0,
    delayed: 0,
    oldest_waiting_s: 0,
    work_s: 0,
    eta_s: null,
  };
  view.waiting += gauges.waiting;
  view.held += gauges.held;
  view.active += gauges.active;
  view.delayed += gauges.delayed;
  view.oldest_waiting_s = Math.max(view.oldest_waiting_s, Math.round(gauges.oldestWaitingS * 10) / 10);
  view.work_s = Math.round(view.work_s * 10 + workMs / 100) / 10;
  const { eta_s } = etaView(end);
  if (eta_s !== null) view.eta_s = Math.max(view.eta_s ?? 0, eta_s);
  models.set(model, view);
}

function slotsOf(model: string, backends: readonly BackendView[]): number {
  return backends
    .filter(({ up, draining }) => up && !draining)
    .flatMap(({ models }) => models.filter(({ name, out }) => name === model && !out))
    .reduce((sum, { slots }) => sum + slots, 0);
}
