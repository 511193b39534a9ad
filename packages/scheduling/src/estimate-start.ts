import type { ModelCosts } from "./model-costs.ts";

/** One queue as it stands. */
export type QueueBacklog = {
  readonly name: string;
  readonly model: string;
  readonly waiting: number;
  readonly running: number;
  /** Estimated milliseconds of a slot all waiting jobs take. */ readonly workMs: number;
  /** Tags of the first and the last that wait. */
  readonly headTag: number;
  readonly tailTag: number;
};

/** One Ollama that is up. */
export type BackendState = {
  readonly name: string;
  readonly models: readonly { readonly name: string; readonly slots: number; readonly loaded: boolean }[];
};

/** All that waits and all that works on it, at one moment. */
export type Workload = {
  readonly queues: readonly QueueBacklog[];
  readonly backends: readonly BackendState[];
  readonly costs: (model: string) => ModelCosts;
};

/** Where a waiting job stands. */
export type PlaceInLine = {
  readonly queueName: string;
  readonly model: string;
  readonly tag: number;
  /** Jobs of its own queue before it; infinity: all there are. */ readonly ahead: number;
};

/** Of a job that runs, half is done on average. */
const leftOfRunning = 0.5;
/** How long a job is passed over for the sake of what is in memory, about: workers may be told otherwise. */
const passedOverMs = 60_000;

/**
 * Milliseconds until a waiting job starts: the work before it, on its own queue and on those that share its hosts, by
 * the slots that work on it, and the loads that come between. undefined: no host that is up has its model.
 */
export function estimateStartMs(place: PlaceInLine, load: Workload): number | undefined {
  const seen = { ...load, queues: asPlaceSays(place, load.queues) };
  const first = lineBefore(place, seen, partByMemory(servedFirst(place, seen)));
  // After that everybody's turn comes, with loads in between.
  const line = first && first.waitMs > passedOverMs ? lineBefore(place, seen, partByTag) : first;
  return line && Math.round(line.waitMs + loadsBefore(place, line.hosts, line.shares, line.before, seen));
}

/** A place is read when it is asked for, the queues may have been a second before: who came meanwhile counts. */
function asPlaceSays(place: PlaceInLine, queues: readonly QueueBacklog[]): readonly QueueBacklog[] {
  const { queueName: name, model, tag, ahead } = place;
  const none = { name, model, waiting: 0, running: 0, workMs: 0, headTag: tag, tailTag: tag };
  const own = queues.find((queue) => queue.name === name) ?? none;
  if (ahead <= own.waiting || ahead === Number.POSITIVE_INFINITY) return queues;
  const workMs = own.workMs * (ahead / Math.max(1, own.waiting));
  return [...queues.filter((queue) => queue !== own), { ...own, waiting: ahead, workMs }];
}

/**
 * How long the line before the hosts of a model is, in milliseconds of its slots' work: what one who joins its end stands behind.
 * Loads are no part of it: an empty line is empty, also before a host that has to load the model. undefined: no host that is up has it.
 */
export function lengthOfLineMs(model: string, load: Workload): number | undefined {
  const end = { queueName: "", model, tag: Number.POSITIVE_INFINITY, ahead: Number.POSITIVE_INFINITY };
  return lineBefore(end, load, partByTag)?.waitMs;
}

/** How much of what waits on another queue is before a place: 0 to 1. */
type PartBefore = (queue: QueueBacklog, place: PlaceInLine) => number;

function lineBefore(place: PlaceInLine, load: Workload, partBefore: PartBefore) {
  const hosts = hostsOf(place.model, load);
  const slots = sum(hosts.map((host) => slotsOf(host, place.model)));
  if (slots === 0) return undefined;
  const shares = load.queues.map((queue) => ({ queue, part: partOnHosts(queue.model, hosts, load) }));
  const workBefore = (queue: QueueBacklog): number => {
    if (queue.waiting === 0) return 0;
    const own = queue.name === place.queueName;
    const jobs = own ? Math.min(place.ahead, queue.waiting) : partBefore(queue, place) * queue.waiting;
    return jobs * meanCostMs(queue, load);
  };
  const before = shares.map(({ queue, part }) => part * workBefore(queue));
  const running = sum(shares.map(({ queue, part }) => part * queue.running));
  const left = sum(
    shares.map(({ queue, part }) => part * queue.running * leftOfRunning * meanCostMs(queue, load)),
  );
  const work = sum(before);
  // Somebody is idle: nothing that runs stands in its way.
  const waitMs = running < slots && work === 0 ? 0 : (work + left) / slots;
  return { hosts, shares, before, waitMs };
}

/** The milliseconds of a slot that all hosts together work off each millisecond for these models. */
export function slotsFor(models: ReadonlySet<string>, backends: readonly BackendState[]): number {
  return sum(backends.map((host) => Math.max(0, ...[...models].map((model) => slotsOf(host, model)))));
}

/** By how many milliseconds one millisecond of a slot's work for a model (`of`) makes the line of another one (`on`) longer. */
export function delayOfWork(of: string, on: string, load: Workload): number {
  const hosts = hostsOf(on, load);
  const slots = sum(hosts.map((host) => slotsOf(host, on)));
  return slots === 0 ? 0 : partOnHosts(of, hosts, load) / slots;
}

/** Tags of a backlog lie about evenly between its first and its last. */
const partByTag: PartBefore = ({ headTag, tailTag }, { tag }) => {
  const span = tailTag - headTag;
  return span <= 0 ? Number(headTag < tag) : Math.min(1, Math.max(0, (tag - headTag) / span));
};

/** What is in memory goes on while jobs wait for it; those of a model that is not are passed over. */
function partByMemory(first: ReadonlySet<string>): PartBefore {
  return (queue, place) =>
    first.has(queue.model) === first.has(place.model)
      ? partByTag(queue, place)
      : Number(first.has(queue.model));
}

/** The models in the memory of the hosts of a place; of a host that loads, the one it loads, since it is given nothing else. */
function servedFirst(place: PlaceInLine, load: Workload): ReadonlySet<string> {
  const hosts = hostsOf(place.model, load);
  const loading = beingLoaded(hosts, load);
  if (loading.size > 0) return loading;
  return new Set(hosts.flatMap(({ models }) => models.flatMap(({ name, loaded }) => (loaded ? [name] : []))));
}

/** What has jobs that run and is nowhere in memory; on several hosts the others go on meanwhile. */
function beingLoaded(hosts: readonly BackendState[], { queues, backends }: Workload): ReadonlySet<string> {
  const [host] = hosts;
  if (!host || hosts.length > 1) return new Set();
  const loads = ({ model, running }: QueueBacklog): boolean =>
    running > 0 && slotsOf(host, model) > 0 && !backends.some((backend) => isLoaded(backend, model));
  return new Set(queues.filter(loads).map(({ model }) => model));
}

function meanCostMs(queue: QueueBacklog, load: Workload): number {
  if (queue.waiting > 0 && queue.workMs > 0) return queue.workMs / queue.waiting;
  const { msPerPromptToken, msPerOutputToken, outputTokens } = load.costs(queue.model);
  return outputTokens * (msPerOutputToken + msPerPromptToken);
}

/** How much of a model's work these hosts do. */
function partOnHosts(model: string, hosts: readonly BackendState[], { backends }: Workload): number {
  const everywhere = sum(backends.map((host) => slotsOf(host, model)));
  return everywhere === 0 ? 0 : sum(hosts.map((host) => slotsOf(host, model))) / everywhere;
}

/**
 * Each other model before it is loaded once, and its own after that, unless it is this job that loads it, having
 * started; on several hosts at the same time. Of what is being loaded half is done.
 */
function loadsBefore(
  place: PlaceInLine,
  hosts: readonly BackendState[],
  shares: readonly { queue: QueueBacklog; part: number }[],
  before: readonly number[],
  load: Workload,
): number {
  const models = new Set<string>();
  for (const [index, { queue }] of shares.entries()) if ((before[index] ?? 0) > 0) models.add(queue.model);
  const runningOf = (of: string): number =>
    sum(load.queues.map(({ model, running }) => (model === of ? running : 0)));
  const ahead = Math.min(place.ahead, load.queues.find(({ name }) => name === place.queueName)?.waiting ?? 0);
  const seats = sum(hosts.map((host) => slotsOf(host, place.model)));
  if (ahead + runningOf(place.model) >= seats) models.add(place.model);
  else models.delete(place.model);
  for (const model of beingLoaded(hosts, load)) if (model !== place.model) models.add(model);
  const missing = [...models].filter((model) => !hosts.some((host) => isLoaded(host, model)));
  const left = (model: string): number => (runningOf(model) > 0 ? leftOfRunning : 1);
  return sum(missing.map((model) => left(model) * load.costs(model).loadMs)) / hosts.length;
}

const hostsOf = (model: string, { backends }: Workload): BackendState[] =>
  backends.filter((backend) => slotsOf(backend, model) > 0);
const slotsOf = (host: BackendState, model: string): number =>
  host.models.find(({ name }) => name === model)?.slots ?? 0;
const isLoaded = (host: BackendState, model: string): boolean =>
  host.models.some(({ name, loaded }) => name === model && loaded);
const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
