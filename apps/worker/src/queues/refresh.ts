import {
  announceWorker,
  type Dispatcher,
  keepShares,
  publishModelCards,
  type QueueDirectory,
  type QueueSpace,
  readRegistry,
  readWishes,
  type WorkerLease,
} from "@forebay/queue-bullmq";
import { affinityKey, canonicalModelName, type QueueEntry } from "@forebay/queue-contracts";
import type { Backend, BackendSettings } from "../backends/backend.ts";
import type { Fleet } from "../backends/fleet.ts";
import type { ModelCards } from "../backends/learn-model-cards.ts";
import type { Elsewhere } from "../dispatch/elsewhere.ts";
import type { Feeder } from "../dispatch/feeder.ts";
import type { WorkerEvents } from "../events.ts";
import type { ModelChanges } from "../model-changes/follow-hosts.ts";

export type Refresher = {
  readonly space: QueueSpace;
  readonly directory: QueueDirectory;
  readonly fleet: Fleet;
  /** The hosts this worker is to have now. */ readonly readBackends: () => Promise<
    readonly BackendSettings[]
  >;
  readonly feeder: Feeder;
  readonly elsewhere: Elsewhere;
  readonly dispatcher: Dispatcher;
  readonly cards: ModelCards;
  /** undefined: nobody may change the models of the hosts. */ readonly modelChanges:
    | ModelChanges
    | undefined;
  readonly events: WorkerEvents;
  readonly worker: string;
  readonly startedAt: Date;
  readonly leaseS: number;
  /** Models whose jobs wait because an operator said so. */ readonly paused: Set<string>;
  /** Queues served now: what was told about them last. */ readonly told: Map<string, { servable: boolean }>;
};

/**
 * One look at the world: what operators want, the hosts and their models, then the lease that tells the API
 * what can be served, then the queues to serve.
 */
export async function refreshOnce(refresher: Refresher): Promise<void> {
  const { fleet, directory, events, space } = refresher;
  await matchFleet(refresher);
  refresher.modelChanges?.match(fleet.backends);
  const wishes = await readWishes(space);
  fleet.drain(wishes.draining);
  refresher.paused.clear();
  for (const model of wishes.paused) refresher.paused.add(canonicalModelName(model));
  await Promise.all(fleet.backends.map((backend) => refreshBackend(backend, events)));
  for (const backend of fleet.backends) {
    for (const model of backend.models) await directory.ensure({ model: model.name, runner: {} });
  }
  const entries = await directory.list();
  await announceWorker(space, describeWorker(refresher, entries), refresher.leaseS);
  const own = new Set(fleet.backends.map(({ name }) => name));
  refresher.elsewhere.saw((await readRegistry(space)).leases, refresher.worker, own, Date.now());
  serveQueues(refresher, entries);
  await keepShares(
    space,
    entries.map(({ name }) => name),
  );
  // Last: a host that is slow to tell about its models must not keep its jobs waiting.
  await publishModelCards(space, await refresher.cards.learn(fleet.backends, Date.now()));
}

/** A list that cannot be read changes nothing. */
async function matchFleet({ fleet, readBackends, events }: Refresher): Promise<void> {
  try {
    fleet.match(await readBackends());
  } catch (error) {
    events.backendsUnreadable(error);
  }
}

async function refreshBackend(backend: Backend, events: WorkerEvents): Promise<void> {
  const { changed, error } = await backend.refresh();
  if (changed) events.backendChanged(backend, error);
  for (const model of backend.models) events.slotsChanged(backend, model.name);
}

/** The queues whose model one of the hosts has, up or not: a stalled job of theirs is found all the same. */
function serveQueues(refresher: Refresher, entries: readonly QueueEntry[]): void {
  const { fleet, feeder, dispatcher, told, events } = refresher;
  const served = entries.filter(({ model }) => fleet.backends.some((each) => each.has(model)));
  for (const { name, model } of served) {
    if (told.has(name)) continue;
    told.set(name, { servable: true });
    events.queueOpened(name, model);
  }
  const names = new Map(served.map((entry) => [entry.name, entry.model]));
  for (const name of told.keys()) {
    if (names.has(name)) continue;
    told.delete(name);
    events.queueClosed(name);
  }
  tellServable(refresher, names);
  feeder.know(served);
  dispatcher.match(served.map(({ name }) => name));
}

function tellServable({ fleet, told, events }: Refresher, names: ReadonlyMap<string, string>): void {
  for (const [name, queue] of told) {
    const servable = fleet.serves(names.get(name) ?? "", Date.now());
    if (servable !== queue.servable) (servable ? events.queueResumed : events.queuePaused)(name);
    queue.servable = servable;
  }
}

function describeWorker(refresher: Refresher, entries: readonly QueueEntry[]): WorkerLease {
  const now = Date.now();
  const residents = entries.map(({ model, runner }) => ({
    affinity: affinityKey({ model, runner }),
    model,
    runner,
  }));
  return {
    worker: refresher.worker,
    started_at: refresher.startedAt.toISOString(),
    finished_per_s: refresher.events.finishedPerS(),
    backends: refresher.fleet.backends.map((backend) => ({
      name: backend.name,
      up: backend.up,
      version: backend.version,
      slots: Math.max(1, ...backend.models.map(({ name }) => backend.slots(name))),
      draining: backend.draining,
      takes_model_changes: refresher.modelChanges !== undefined,
      loaded: residents.filter((each) => backend.residency.has(each)).map(({ affinity }) => affinity),
      loading: backend.residency.loading,
      models: backend.models.map(({ name, digest, size, modified_at, details, loaded }) => ({
        name,
        digest,
        size,
        modified_at,
        details,
        loaded,
        slots: backend.slots(name),
        busy: backend.busy(name),
        out: backend.up && !backend.serves(name, now),
      })),
    })),
  };
}
