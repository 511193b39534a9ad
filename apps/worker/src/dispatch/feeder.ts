import type { WaitingHead } from "@forebay/queue-bullmq";
import { affinityKey, type Lane, type QueueEntry } from "@forebay/queue-contracts";
import {
  chooseQueue,
  createHomeTimes,
  createServiceLog,
  type Host,
  type ServiceLog,
  type WaitingQueue,
} from "@forebay/scheduling";
import type { Backend } from "../backends/backend.ts";
import type { LeaseKeeper } from "../backends/lease-keeper.ts";
import type { Resident } from "../backends/residency.ts";
import type { Elsewhere } from "./elsewhere.ts";

/** A slot on a host, held for one call. */
export type Seat = {
  readonly backend: Backend;
  readonly resident: Resident;
  readonly queueName: string;
  /** What the call needs was not in memory when it began. */ readonly cold: boolean;
};

/** Gives out the slots of all hosts of this worker. */
export type Feeder = {
  /** The queues this worker serves. */
  know(entries: readonly QueueEntry[]): void;
  choose(heads: readonly WaitingHead[], nowMs: number): { queueName: string; seat: Seat } | undefined;
  leave(seat: Seat): void;
  /** A slot on another host for a job that failed on this one; the same one when no other is free. */
  elsewhere(seat: Seat, avoid: string | undefined): Promise<Seat>;
  /** Model of a queue that is served; "": it is not any more. */ modelOf(queueName: string): string;
  /** Whether jobs wait on a queue, as last seen. */ waits(queueName: string): boolean;
  /** How long calls of a model hold a slot. */ recordCall(model: string, ms: number): void;
};

export type FeederDeps = {
  readonly backends: () => readonly Backend[];
  readonly leases: LeaseKeeper;
  readonly elsewhere: Elsewhere;
  /** How long a job may be passed over for the sake of a loaded model. */
  readonly passedOverMsMax: Readonly<Record<Lane, number>>;
  readonly isPaused: (model: string) => boolean;
  /** A host begins to load. */ readonly onLoad: (seat: Seat) => void;
};

/** A call nobody has seen yet. */
const firstCallMs = 4_000;
const smoothing = 0.2;
const windowMsMin = 60_000;

export function createFeeder(deps: FeederDeps): Feeder {
  const residents = new Map<string, Resident>();
  const modelsByAffinity = new Map<string, string>();
  const callMs = new Map<string, number>();
  let waitingNow: ReadonlySet<string> = new Set();
  const loadedAt = new Map<string, number>();
  const logs = new Map<string, ServiceLog>();
  const homeTimes = createHomeTimes();
  // Those who have been passed over for too long go by how much longer.
  const windowMs = Math.max(windowMsMin, 2 * Math.max(...Object.values(deps.passedOverMsMax)));

  const slotsOf = (backend: Backend, resident: Resident, nowMs: number): number =>
    backend.draining || !backend.serves(resident.model, nowMs) ? 0 : backend.slots(resident.model);
  const freeOf = (backend: Backend, resident: Resident, nowMs: number): number =>
    deps.leases.free(backend.name, resident.model, slotsOf(backend, resident, nowMs));

  const describe = (head: WaitingHead, nowMs: number): Waiting | undefined => {
    const resident = residents.get(head.queueName);
    if (!resident || deps.isPaused(resident.model)) return undefined;
    return {
      name: head.queueName,
      affinity: resident.affinity,
      tag: head.tag,
      sinceMs: head.sinceMs,
      passedOverMsMax: deps.passedOverMsMax[head.lane],
      backlogMs: head.waiting * (callMs.get(resident.model) ?? firstCallMs),
      slotsElsewhere: deps.elsewhere.slots(resident.affinity, nowMs),
      resident,
    };
  };

  const logOf = ({ name }: Backend): ServiceLog => {
    const log = logs.get(name) ?? createServiceLog(windowMs);
    logs.set(name, log);
    return log;
  };

  const view = (backend: Backend, waiting: readonly Waiting[], nowMs: number): Seen => {
    const of = (queue: WaitingQueue): Resident => (queue as Waiting).resident;
    const loaded = waiting.filter(({ resident }) => backend.residency.has(resident));
    const wanted = (model: string): boolean =>
      backend.busy(model) > 0 || waiting.some(({ resident }) => resident.model === model);
    const loading = backend.residency.loading ?? deps.elsewhere.loadingOn(backend.name, nowMs);
    return {
      backend,
      name: backend.name,
      loaded: new Set(loaded.map(({ affinity }) => affinity)),
      loading,
      room: backend.residency.room,
      spare: backend.residency.models.some((model) => !wanted(model)),
      steadyMs: nowMs - (loadedAt.get(backend.name) ?? 0),
      busy: backend.busy(),
      slots: (queue) => slotsOf(backend, of(queue), nowMs),
      free: (queue) => freeOf(backend, of(queue), nowMs),
      swapMs: (queue) => backend.loadMs(of(queue).model),
      clashes(queue) {
        const { affinity, model } = of(queue);
        const isThere = backend.residency.models.includes(model) && !backend.residency.has(of(queue));
        return (
          isThere ||
          (loading !== undefined && loading !== affinity && modelsByAffinity.get(loading) === model)
        );
      },
      passedOverMs: ({ affinity, tag, sinceMs }) =>
        logOf(backend).passedOverMs({ tag, sinceMs: Math.max(sinceMs, homeTimes.since(affinity)) }, nowMs),
    };
  };

  const seat = (backend: Backend, resident: Resident, queueName: string, cold: boolean): Seat => {
    const begins = cold && backend.residency.loading === undefined;
    backend.take(resident);
    const given = { backend, resident, queueName, cold };
    if (cold) loadedAt.set(backend.name, Date.now());
    if (begins) deps.onLoad(given);
    return given;
  };

  return {
    know(entries) {
      residents.clear();
      modelsByAffinity.clear();
      for (const { name, model, runner } of entries) {
        const affinity = affinityKey({ model, runner });
        residents.set(name, { affinity, model, runner });
        modelsByAffinity.set(affinity, model);
      }
    },
    choose(heads, nowMs) {
      waitingNow = new Set(heads.map(({ queueName }) => queueName));
      const waiting = heads.map((head) => describe(head, nowMs)).filter((queue) => queue !== undefined);
      if (waiting.length === 0) return undefined;
      const hosts = deps.backends().map((backend) => view(backend, waiting, nowMs));
      for (const { affinity, slotsElsewhere } of waiting) {
        const own = hosts.filter(({ loaded, loading }) => loaded.has(affinity) || loading === affinity);
        homeTimes.saw(affinity, own.length + Number(slotsElsewhere > 0), nowMs);
      }
      const choice = chooseQueue(waiting, hosts, nowMs);
      if (!choice) return undefined;
      // They are the objects made above.
      const { resident } = choice.queue as Waiting;
      const { backend } = choice.host as Seen;
      if (!deps.leases.take(backend.name, resident.model, backend.slots(resident.model))) return undefined;
      logOf(backend).began(choice.queue.tag, nowMs);
      const queueName = choice.queue.name;
      return { queueName, seat: seat(backend, resident, queueName, choice.cold) };
    },
    leave({ backend, resident }) {
      backend.release(resident);
      deps.leases.giveBack(backend.name, resident.model);
    },
    async elsewhere(held, avoid) {
      if (held.backend.name !== avoid) return held;
      const { resident, queueName } = held;
      const now = Date.now();
      const others = deps
        .backends()
        .filter(({ name }) => name !== avoid)
        .filter((each) => each.residency.loading === undefined || each.residency.has(resident))
        .filter((each) => freeOf(each, resident, now) > 0)
        .toSorted((a, b) => Number(b.residency.has(resident)) - Number(a.residency.has(resident)));
      const [other] = others;
      if (!other) return held;
      // Its slots were free a moment ago; if they are not, the host it has is as good.
      if (!(await deps.leases.takeSoon(other.name, resident.model, other.slots(resident.model)))) return held;
      held.backend.release(resident);
      deps.leases.giveBack(held.backend.name, resident.model);
      return seat(other, resident, queueName, !other.residency.has(resident));
    },
    modelOf: (queueName) => residents.get(queueName)?.model ?? "",
    waits: (queueName) => waitingNow.has(queueName),
    recordCall(model, ms) {
      const known = callMs.get(model);
      callMs.set(model, known === undefined ? ms : known + smoothing * (ms - known));
    },
  };
}

type Waiting = WaitingQueue & { readonly resident: Resident };
type Seen = Host & { readonly backend: Backend };
