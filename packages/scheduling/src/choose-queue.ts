/** A queue where jobs wait. */
export type WaitingQueue = {
  readonly name: string;
  /** Model and runner options: what must be in memory. */ readonly affinity: string;
  /** Tag of its head, in ticks; the lowest is owed the GPU next. */ readonly tag: number;
  /** When its head was put, in milliseconds. */ readonly sinceMs: number;
  /** How long its head may be passed over, in milliseconds. */ readonly passedOverMsMax: number;
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
  /** It has a model in memory that nobody uses or waits for: a load would throw out that one. */
  readonly spare: boolean;
  /** How long ago it was last given a model to load, in milliseconds. */ readonly steadyMs: number;
  /** Calls it holds now, of all models. */ readonly busy: number;
  /** Slots it has for a queue, taken or not; 0: it cannot serve it now. */ slots(
    queue: WaitingQueue,
  ): number;
  /** Those that are not taken. */ free(queue: WaitingQueue): number;
  /** What it takes to bring this affinity into its memory. */ swapMs(queue: WaitingQueue): number;
  /** Its model is there, or being loaded, with other options: one of the two must leave, however much room there is. */
  clashes(queue: WaitingQueue): boolean;
  /** How long it has worked for jobs that are owed less than this queue's head. */
  passedOverMs(queue: WaitingQueue): number;
};

export type Choice = { readonly queue: WaitingQueue; readonly host: Host; readonly cold: boolean };

/** One place where the head of one queue could run now. */
type Candidate = Choice & {
  /** Its turn has come although jobs wait for what is loaded. */ readonly due: boolean;
  readonly passedOverMs: number;
  /** How much longer it may be passed over. */ readonly leftMs: number;
  /** Slots where the model is in memory already, here or elsewhere. */ readonly homes: number;
};

/** How often a host may be made to load; in loads. */
export type SwapPace = {
  /** From one load to the next it takes as long as so many loads, while jobs wait for what is loaded. */
  readonly stayLoads: number;
  /** So long is set aside for each model that is passed over, so that all of them have their turn in time. */
  readonly turnLoads: number;
};

/** With however many models, a host never loads for more than a quarter of the time in which it has other work. */
const defaultPace: SwapPace = { stayLoads: 4, turnLoads: 2 };

/**
 * Which queue's head runs next, and where. Of models in memory the head with the lowest tag goes first. A model
 * that would have to be loaded waits while jobs wait for those that are there, as long as none of its jobs is passed
 * over for longer than it may be: so each load serves as many jobs as can be. `npm run bench -- trials` tries it out.
 *
 * @returns undefined: no job may start now
 */
export function chooseQueue(
  queues: readonly WaitingQueue[],
  hosts: readonly Host[],
  nowMs: number,
  pace: SwapPace = defaultPace,
): Choice | undefined {
  let best: Candidate | undefined;
  for (const host of hosts) {
    for (const candidate of candidatesOn(host, queues, hosts, nowMs, pace)) {
      if (host.free(candidate.queue) < 1 || !mayStart(candidate)) continue;
      if (!best || compare(candidate, best) < 0) best = candidate;
    }
  }
  return best && { queue: best.queue, host: best.host, cold: best.cold };
}

const unbothered = { due: false, passedOverMs: 0, leftMs: 0, homes: 0 };

/** What this host should run, whether or not a slot is free. */
function candidatesOn(
  host: Host,
  queues: readonly WaitingQueue[],
  hosts: readonly Host[],
  nowMs: number,
  pace: SwapPace,
): Candidate[] {
  const servable = queues.filter((queue) => host.slots(queue) > 0);
  const isWarm = ({ affinity }: WaitingQueue): boolean =>
    host.loaded.has(affinity) || host.loading === affinity;
  const warm = servable.filter(isWarm);
  const candidates = warm.map((queue): Candidate => ({ ...unbothered, queue, host, cold: false }));
  // While it loads it is given no second load.
  if (warm.length === servable.length || host.loading !== undefined) return candidates;
  const cold = servable
    .filter((queue) => !isWarm(queue))
    .map((queue) => describeCold(queue, host, hosts))
    .filter((candidate) => deservesLoad(candidate, nowMs));
  if (warm.length === 0) return cold;
  const fits = ({ queue }: Candidate): boolean => host.room === true && !host.clashes(queue);
  const others = cold.filter((candidate) => !fits(candidate));
  return [...candidates, ...cold.filter(fits), ...findDue(others, host, pace)];
}

function describeCold(queue: WaitingQueue, host: Host, hosts: readonly Host[]): Candidate {
  // Where it throws out nothing that is wanted, or nobody knows, all it costs the others is the time of the load: it is
  // passed over for as long before that begins.
  const cheap = (host.spare || host.room === undefined) && !host.clashes(queue);
  const passedOverMsMax = Math.min(
    queue.passedOverMsMax,
    cheap ? 2 * host.swapMs(queue) : Number.POSITIVE_INFINITY,
  );
  const passedOverMs = host.passedOverMs(queue);
  const leftMs = passedOverMsMax - passedOverMs;
  return { queue, host, cold: true, due: false, passedOverMs, leftMs, homes: countHomes(queue, hosts) };
}

/** A model that some host has is loaded by another one when waiting for that host takes longer than the load. */
function deservesLoad({ queue, host, homes }: Candidate, nowMs: number): boolean {
  if (homes === 0) return true;
  const swapMs = host.swapMs(queue);
  return queue.backlogMs > swapMs * homes || nowMs - queue.sinceMs > swapMs;
}

/**
 * The one that must be loaded now although jobs wait for what is in memory. Late enough to serve as many of those as
 * can be, and early enough for each that is passed over to have its turn before it was passed over for too long.
 */
function findDue(cold: readonly Candidate[], host: Host, pace: SwapPace): Candidate[] {
  const late = cold.filter(({ passedOverMs }) => passedOverMs > 0).toSorted(compareCold);
  const [first] = late;
  if (!first || host.steadyMs < pace.stayLoads * host.swapMs(first.queue)) return [];
  let neededMs = 0;
  for (const { queue, leftMs } of late) {
    const swapMs = host.swapMs(queue);
    neededMs += swapMs;
    if (leftMs <= neededMs) return [{ ...first, due: true }];
    neededMs += Math.min(pace.turnLoads * swapMs, queue.backlogMs / host.slots(queue));
  }
  return [];
}

/**
 * While a host loads, whatever else it is given may keep the victim in its memory and the load from ever
 * beginning; only a host that is known to have room for both goes on with the others.
 */
function mayStart({ queue, host, cold }: Candidate): boolean {
  if (host.loading === undefined || host.loading === queue.affinity) return true;
  return !cold && host.room === true && !host.clashes(queue);
}

function countHomes(queue: WaitingQueue, hosts: readonly Host[]): number {
  return hosts
    .filter(({ loaded, loading }) => loaded.has(queue.affinity) || loading === queue.affinity)
    .reduce((slots, host) => slots + host.slots(queue), queue.slotsElsewhere);
}

/** Negative: `a` goes before `b`. */
function compare(a: Candidate, b: Candidate): number {
  return (
    Number(b.due) - Number(a.due) ||
    Number(a.cold) - Number(b.cold) ||
    (a.cold ? compareCold(a, b) : compareTags(a.queue, b.queue)) ||
    coldPlace(a) - coldPlace(b) ||
    a.host.busy - b.host.busy ||
    order(a.queue.name, b.queue.name) ||
    order(a.host.name, b.host.name)
  );
}

/** Who has the least time left; a model without a home before one that is to have a second. */
function compareCold(a: Candidate, b: Candidate): number {
  return Number(a.homes > 0) - Number(b.homes > 0) || a.leftMs - b.leftMs || compareTags(a.queue, b.queue);
}

const compareTags = (a: WaitingQueue, b: WaitingQueue): number => a.tag - b.tag || a.sinceMs - b.sinceMs;

/** A model without a home moves to where it throws out nothing, or the least. */
function coldPlace({ cold, host }: Candidate): number {
  if (!cold) return 0;
  return host.loaded.size === 0 ? 0 : host.room === true ? 1 : 1 + host.loaded.size;
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
