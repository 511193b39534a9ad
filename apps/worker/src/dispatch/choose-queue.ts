/** A queue where jobs wait. */
export type WaitingQueue = {
  readonly name: string;
  /** Model and runner options: what must be in memory. */ readonly affinity: string;
  /** Start tag of its head, in ticks; the lowest is owed the GPU next. */ readonly tag: number;
  /** When its head was put, in milliseconds. */ readonly sinceMs: number;
  /** Since when its head has been passed over by one that was owed less; undefined: it has not been. */
  readonly overtakenMs: number | undefined;
  /** How long it may be. */ readonly overtakenMsMax: number;
  /** How long its jobs would keep one slot, in milliseconds. */ readonly backlogMs: number;
  /** Slots of other workers' hosts that have it in memory, or are loading it. */ readonly slotsElsewhere: number;
};

/** A host, as far as the choice needs it. */
export type Host = {
  readonly name: string;
  /** Affinities in its memory. */ readonly loaded: ReadonlySet<string>;
  /** The one that it is loading now. */ readonly loading: string | undefined;
  /** Whether another model fits beside those it has; undefined: nobody knows yet. */ readonly room:
    | boolean
    | undefined;
  /** How long ago it was last given a model to load, in milliseconds. */ readonly steadyMs: number;
  /** Calls it holds now, of all models. */ readonly busy: number;
  /** Slots it has for a queue, taken or not; 0: it cannot serve it now. */ slots(
    queue: WaitingQueue,
  ): number;
  /** Those that are not taken. */ free(queue: WaitingQueue): number;
  /** What it takes to bring this affinity into its memory. */ swapMs(queue: WaitingQueue): number;
};

export type Choice = { readonly queue: WaitingQueue; readonly host: Host; readonly cold: boolean };

/** One place where the head of one queue could run now. */
type Candidate = Choice & {
  readonly owedTicks: number;
  readonly overdueMs: number;
  /** Slots where the model is in memory already, here or elsewhere. */ readonly homes: number;
};

/**
 * Which queue's head runs next, and where. The lowest tag goes first, but a model that would have to be loaded
 * counts as so much later as the load takes: swaps happen exactly when fairness is owed more than they cost.
 * A head passed over for longer than it may be goes first whatever it costs; where several are passed over, they
 * take turns early enough for each to have its turn in time, and none is thrown out after a single job.
 *
 * @param swapTicks how much virtual time a load of so many milliseconds is
 * @returns undefined: no job may start now
 */
export function chooseQueue(
  queues: readonly WaitingQueue[],
  hosts: readonly Host[],
  nowMs: number,
  swapTicks: (loadMs: number) => number,
): Choice | undefined {
  const candidates = hosts.flatMap((host) => candidatesOn(host, queues, hosts, nowMs, swapTicks));
  let best: Candidate | undefined;
  for (const candidate of candidates) {
    const { queue, host, cold } = candidate;
    if (host.free(queue) < 1 || !mayStart(queue, host, cold)) continue;
    if (cold && !displaces(candidate, candidates)) continue;
    if (!best || compare(candidate, best) < 0) best = candidate;
  }
  return best && { queue: best.queue, host: best.host, cold: best.cold };
}

/** What this host could run, whether or not a slot is free. */
function candidatesOn(
  host: Host,
  queues: readonly WaitingQueue[],
  hosts: readonly Host[],
  nowMs: number,
  swapTicks: (loadMs: number) => number,
): Candidate[] {
  const found: Candidate[] = [];
  const servable = queues.filter((queue) => host.slots(queue) > 0);
  const passedOver = servable.filter(({ overtakenMs }) => overtakenMs !== undefined).length;
  for (const queue of servable) {
    const overdueMs = overdueOf(queue, host, passedOver, nowMs);
    const cold = !host.loaded.has(queue.affinity) && host.loading !== queue.affinity;
    const homes = countHomes(queue, hosts);
    if (cold && overdueMs === 0 && !deservesLoad(queue, host, homes, nowMs)) continue;
    const owedTicks = queue.tag + (cold ? swapTicks(host.swapMs(queue)) : 0);
    found.push({ queue, host, cold, owedTicks, overdueMs, homes });
  }
  return found;
}

/** How long ago its turn came whatever it costs; 0: it has not come. */
function overdueOf(queue: WaitingQueue, host: Host, passedOver: number, nowMs: number): number {
  if (queue.overtakenMs === undefined) return 0;
  const forMs = nowMs - queue.overtakenMs;
  const turnMs = queue.overtakenMsMax / passedOver;
  const itsTurn = forMs > turnMs && host.steadyMs >= turnMs;
  return itsTurn || forMs > queue.overtakenMsMax ? forMs - turnMs : 0;
}

/**
 * A model's slots are its own, so those of one that is not loaded are always free. Where it would throw out
 * another one it waits until it is owed more than the next job of that, which has no slot only for a moment.
 */
function displaces(cold: Candidate, candidates: readonly Candidate[]): boolean {
  if (cold.host.room === true) return true;
  return candidates.every((other) => other.host !== cold.host || other.cold || compare(cold, other) < 0);
}

/**
 * While a host loads, whatever else it is given may keep the victim in its memory and the load from ever
 * beginning; only a host that is known to have room for both goes on with the others. One load at a time.
 */
function mayStart(queue: WaitingQueue, host: Host, cold: boolean): boolean {
  if (host.loading === undefined || host.loading === queue.affinity) return true;
  return !cold && host.room === true;
}

function countHomes(queue: WaitingQueue, hosts: readonly Host[]): number {
  return hosts
    .filter(({ loaded, loading }) => loaded.has(queue.affinity) || loading === queue.affinity)
    .reduce((slots, host) => slots + host.slots(queue), queue.slotsElsewhere);
}

/** A model that some host has is loaded by another one when waiting for that host takes longer than the load. */
function deservesLoad(queue: WaitingQueue, host: Host, homes: number, nowMs: number): boolean {
  if (homes === 0) return true;
  const swapMs = host.swapMs(queue);
  return queue.backlogMs > swapMs * homes || nowMs - queue.sinceMs > swapMs;
}

/** Negative: `a` goes before `b`. */
function compare(a: Candidate, b: Candidate): number {
  return (
    b.overdueMs - a.overdueMs ||
    a.owedTicks - b.owedTicks ||
    Number(a.cold) - Number(b.cold) ||
    replica(a) - replica(b) ||
    a.queue.sinceMs - b.queue.sinceMs ||
    coldPlace(a) - coldPlace(b) ||
    a.host.busy - b.host.busy ||
    order(a.queue.name, b.queue.name) ||
    order(a.host.name, b.host.name)
  );
}

/** A model without a home moves to where it throws out nothing, or the least. */
function coldPlace({ cold, host }: Candidate): number {
  if (!cold) return 0;
  return host.loaded.size === 0 ? 0 : host.room === true ? 1 : 1 + host.loaded.size;
}

/** A model without a home goes before one that is to have a second. */
const replica = ({ cold, homes }: Candidate): number => (cold && homes > 0 ? 1 : 0);

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
