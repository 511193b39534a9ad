import type { BackendState, QueueBacklog, Workload } from "./workload.ts";

/** Of a job that runs, half is done on average. */
export const leftOfRunning = 0.5;

/** A queue as the hosts of a model see it. */
type Share = {
  readonly queue: QueueBacklog;
  /** How much of its work they do. */ readonly part: number;
  /** What one of its jobs takes, about. */ readonly eachMs: number;
  /** They would have to load its model. */ readonly missing: boolean;
};

/** What is the same for all places of a model. */
export type LineScene = {
  readonly hosts: readonly BackendState[];
  readonly slots: number;
  readonly shares: readonly Share[];
  /** A job of a queue nobody has been on. */ readonly eachMs: number;
  readonly running: number;
  /** Work left of what runs. */ readonly leftMs: number;
  readonly missing: boolean;
  readonly loading: ReadonlySet<string>;
  /** Models whose jobs go first. */ readonly first: ReadonlySet<string>;
};

/** One reading is asked about thousands of places. */
const scenes = new WeakMap<Workload, Map<string, LineScene | undefined>>();

export function sceneOf(model: string, load: Workload): LineScene | undefined {
  const known = scenes.get(load) ?? new Map<string, LineScene | undefined>();
  if (known.size === 0) scenes.set(load, known);
  if (!known.has(model)) known.set(model, createScene(model, load));
  return known.get(model);
}

function createScene(model: string, load: Workload): LineScene | undefined {
  const hosts = hostsOf(model, load);
  const slots = sum(hosts.map((host) => slotsOf(host, model)));
  if (slots === 0) return undefined;
  const isMissing = (name: string): boolean => !hosts.some((host) => isLoaded(host, name));
  const shares = load.queues.map((queue) => ({
    queue,
    part: partOnHosts(queue.model, hosts, load),
    eachMs: meanCostMs(queue, load),
    missing: isMissing(queue.model),
  }));
  const loading = beingLoaded(hosts, load);
  const loaded = hosts.flatMap(({ models }) => models.flatMap((each) => (each.loaded ? [each.name] : [])));
  return {
    hosts,
    slots,
    shares,
    eachMs: jobCostMs(model, load),
    running: sum(shares.map(({ queue, part }) => part * queue.running)),
    leftMs: sum(shares.map(({ queue, part, eachMs }) => part * queue.running * leftOfRunning * eachMs)),
    missing: isMissing(model),
    loading,
    // A host that loads is given nothing else.
    first: loading.size > 0 ? loading : new Set(loaded),
  };
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
  return queue.waiting > 0 && queue.workMs > 0 ? queue.workMs / queue.waiting : jobCostMs(queue.model, load);
}

function jobCostMs(model: string, load: Workload): number {
  const { msPerPromptToken, msPerOutputToken, outputTokens } = load.costs(model);
  return outputTokens * (msPerOutputToken + msPerPromptToken);
}

/** How much of a model's work these hosts do. */
export function partOnHosts(model: string, hosts: readonly BackendState[], { backends }: Workload): number {
  const everywhere = sum(backends.map((host) => slotsOf(host, model)));
  return everywhere === 0 ? 0 : sum(hosts.map((host) => slotsOf(host, model))) / everywhere;
}

export const hostsOf = (model: string, { backends }: Workload): BackendState[] =>
  backends.filter((backend) => slotsOf(backend, model) > 0);
export const slotsOf = (host: BackendState, model: string): number =>
  host.models.find(({ name }) => name === model)?.slots ?? 0;
const isLoaded = (host: BackendState, model: string): boolean =>
  host.models.some(({ name, loaded }) => name === model && loaded);
export const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
