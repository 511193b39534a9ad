import { hostsOf, leftOfRunning, partOnHosts, type LineScene, sceneOf, slotsOf, sum } from "./line-scene.ts";
import type { BackendState, QueueBacklog, Workload } from "./workload.ts";

/** Where a waiting job stands. */
export type PlaceInLine = {
  readonly queueName: string;
  readonly model: string;
  readonly tag: number;
  /** Jobs of its own queue before it; infinity: all there are. */ readonly ahead: number;
};

/** How long a job is passed over for the sake of what is in memory, about: workers may be told otherwise. */
const passedOverMs = 60_000;

/**
 * Milliseconds until a waiting job starts: the work before it, on its own queue and on those that share its hosts, by
 * the slots that work on it, and the loads that come between. undefined: no host that is up has its model.
 */
export function estimateStartMs(place: PlaceInLine, load: Workload): number | undefined {
  const scene = sceneOf(place.model, load);
  if (!scene) return undefined;
  const first = lineBefore(place, scene, partByMemory);
  // After that everybody's turn comes, with loads in between.
  const line = first.waitMs > passedOverMs ? lineBefore(place, scene, partByTag) : first;
  return Math.round(line.waitMs + loadsBefore(place, scene, line.missing, load));
}

/**
 * How long the line before the hosts of a model is, in milliseconds of its slots' work: what one who joins its end stands behind.
 * Loads are no part of it: an empty line is empty, also before a host that has to load the model. undefined: no host that is up has it.
 */
export function lengthOfLineMs(model: string, load: Workload): number | undefined {
  const end = { queueName: "", model, tag: Number.POSITIVE_INFINITY, ahead: Number.POSITIVE_INFINITY };
  const scene = sceneOf(model, load);
  return scene && lineBefore(end, scene, partByTag).waitMs;
}

/** How much of what waits on another queue is before a place: 0 to 1. */
type PartBefore = (queue: QueueBacklog, place: PlaceInLine, scene: LineScene) => number;

/** Tags of a backlog lie about evenly between its first and its last. */
const partByTag: PartBefore = ({ headTag, tailTag }, { tag }) => {
  const span = tailTag - headTag;
  return span <= 0 ? Number(headTag < tag) : Math.min(1, Math.max(0, (tag - headTag) / span));
};

/** What is in memory goes on while jobs wait for it; those of a model that is not are passed over. */
const partByMemory: PartBefore = (queue, place, scene) =>
  scene.first.has(queue.model) === scene.first.has(place.model)
    ? partByTag(queue, place, scene)
    : Number(scene.first.has(queue.model));

/** Until its slots are free, and the models of those before it that have to be loaded. */
function lineBefore(place: PlaceInLine, scene: LineScene, partBefore: PartBefore) {
  const { shares, running, slots, leftMs } = scene;
  const own = shares.find(({ queue }) => queue.name === place.queueName);
  const missing = new Set<string>();
  let work = aheadOf(place, scene) * (own ?? scene).eachMs;
  for (const share of shares) {
    const { queue, part, eachMs } = share;
    if (share === own || queue.waiting === 0) continue;
    const before = part * partBefore(queue, place, scene) * queue.waiting * eachMs;
    if (before > 0 && share.missing) missing.add(queue.model);
    work += before;
  }
  // Somebody is idle: nothing that runs stands in its way.
  return { waitMs: running < slots && work === 0 ? 0 : (work + leftMs) / slots, missing };
}

/** A place is read when it is asked for, the queues may have been a second before: who came meanwhile counts. */
function aheadOf({ queueName, ahead }: PlaceInLine, { shares }: LineScene): number {
  if (ahead !== Number.POSITIVE_INFINITY) return ahead;
  return shares.find(({ queue }) => queue.name === queueName)?.queue.waiting ?? 0;
}

/**
 * Each other model before it is loaded once, and its own after that, unless it is this job that loads it, having
 * started; on several hosts at the same time. Of what is being loaded half is done.
 */
function loadsBefore(
  place: PlaceInLine,
  scene: LineScene,
  missing: ReadonlySet<string>,
  { queues, costs }: Workload,
): number {
  if (missing.size === 0 && scene.loading.size === 0 && !scene.missing) return 0;
  const models = new Set([...missing, ...scene.loading]);
  const runningOf = (of: string): number =>
    sum(queues.map(({ model, running }) => (model === of ? running : 0)));
  const seated = aheadOf(place, scene) + runningOf(place.model) < scene.slots;
  if (scene.missing && !seated) models.add(place.model);
  else models.delete(place.model);
  const left = (model: string): number => (runningOf(model) > 0 ? leftOfRunning : 1);
  return sum([...models].map((model) => left(model) * costs(model).loadMs)) / scene.hosts.length;
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
