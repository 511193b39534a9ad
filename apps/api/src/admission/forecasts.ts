import {
  type JobRecord,
  noteForetold,
  type QueueDirectory,
  type QueueSpace,
  readBacklog,
  readEtaFactors,
  readModelCosts,
  readPromises,
} from "@forebay/queue-bullmq";
import { canonicalModelName, type InferenceJob } from "@forebay/queue-contracts";
import {
  type BackendState,
  delayOfWork,
  estimateJob,
  estimateStartMs,
  type EtaFactors,
  etaRangeMs,
  type JobEstimate,
  lengthOfLineMs,
  modelCosts,
  type ModelCosts,
  type PlaceInLine,
  type Workload,
} from "@forebay/scheduling";
import type { WorkerLease } from "@forebay/queue-bullmq";
import { type CachedReading, createCachedReading } from "../cached-reading.ts";
import type { KnownModels } from "./known-models.ts";
import type { Line } from "./line.ts";

/** When a waiting job is expected to start; milliseconds. */
export type EtaMs = {
  readonly waitMs: number;
  readonly lowMs: number;
  readonly highMs: number;
  /** By the work before it alone. */ readonly plainMs: number;
};

/** What is known of the near future. Readings are shared and believed for a second. */
export type Forecasts = {
  /** Everything that waits and works. */
  readonly workload: CachedReading<Workload>;
  /** What a job is expected to cost. */
  estimate(job: InferenceJob): Promise<JobEstimate>;
  /** When a job at this place starts; undefined: no host that is up has its model. */
  startOf(place: PlaceInLine): Promise<EtaMs | undefined>;
  /**
   * The line before the hosts of a model, with what joined since it was read; undefined: no host that is up has it. Read anew
   * if that was more than `freshMs` ago.
   */
  endOfLine(model: string, freshMs?: number): Promise<Line | undefined>;
  /** A job of this model joins its line, as what is read next will say. */
  joined(model: string, costMs: number): void;
  /** The same of a job that was read; undefined also when it does not wait, or its tenant's limit decides. */
  startOfJob(record: JobRecord): Promise<EtaMs | undefined>;
  /** Notes what was told of a job, so that its truth can be compared; of some jobs where many come, which is enough. */
  note(job: { id: string; queueName: string }, eta: EtaMs): void;
};

const believedMs = 1_000;
const costsBelievedMs = 5_000;
/** Where few jobs come each one teaches; where thousands come, these are enough and cost next to nothing. */
const notedEveryMs = 20;

export function createForecasts(
  space: QueueSpace,
  directory: QueueDirectory,
  models: KnownModels,
): Forecasts {
  const costs = new Map<string, CachedReading<ModelCosts>>();
  const costsOf = (model: string): CachedReading<ModelCosts> => {
    const name = canonicalModelName(model);
    const known = costs.get(name);
    if (known) return known;
    const reading = createCachedReading(
      async () => (await readModelCosts(space, [name])).get(name) ?? modelCosts(),
      costsBelievedMs,
    );
    costs.set(name, reading);
    return reading;
  };
  const factors: CachedReading<EtaFactors> = createCachedReading(() => readEtaFactors(space), believedMs);
  let notedAt = -Infinity;
  let joinedMs = new Map<string, number>();
  let promises: Awaited<ReturnType<typeof readPromises>> = new Map();
  let ends = new Map<string, Line | undefined>();
  const workload = createCachedReading(async (): Promise<Workload> => {
    joinedMs = new Map();
    const [{ leases }, entries] = await Promise.all([models.read(), directory.list()]);
    const [queues, promised] = await Promise.all([readBacklog(space, entries), readPromises(space)]);
    const backends = backendsOf(leases);
    const names = new Set([
      ...queues.map(({ model }) => model),
      ...backends.flatMap((backend) => backend.models.map(({ name }) => name)),
    ]);
    const known = new Map(
      await Promise.all([...names].map(async (name) => [name, await costsOf(name).get()] as const)),
    );
    promises = promised;
    ends = new Map();
    return { queues, backends, costs: (model) => known.get(canonicalModelName(model)) ?? modelCosts() };
  }, believedMs);

  /** Without what joined since. The same for all who ask until the next reading. */
  const readEnd = (model: string, load: Workload): Line | undefined => {
    if (ends.has(model)) return ends.get(model);
    const levelMs = lengthOfLineMs(model, load);
    const others = { heavy: 0, light: 0 };
    for (const [other, { heavy, light }] of promises) {
      if (other === model) continue;
      const delay = delayOfWork(other, model, load);
      others.heavy += heavy * delay;
      others.light += light * delay;
    }
    const promised = promises.has(model) || others.heavy + others.light > 0;
    const msPerUnit = delayOfWork(model, model, load);
    const end = levelMs === undefined ? undefined : { name: model, levelMs, msPerUnit, others, promised };
    ends.set(model, end);
    return end;
  };

  const forecasts: Forecasts = {
    workload,
    estimate: async (job) => estimateJob(job, await costsOf(job.model).get()),
    async startOf(place) {
      const read = await Promise.all([workload.get(), factors.get()]).catch(() => undefined);
      // A view without an estimate is better than none: the job it is about may just have been accepted.
      if (!read) return undefined;
      const [load, known] = read;
      const plainMs = estimateStartMs({ ...place, model: canonicalModelName(place.model) }, load);
      return plainMs === undefined ? undefined : { ...etaRangeMs(plainMs, known), plainMs };
    },
    async endOfLine(model, freshMs) {
      const load = await workload.get(freshMs).catch(() => undefined);
      const name = canonicalModelName(model);
      const end = load && readEnd(name, load);
      if (!load || !end) return undefined;
      let levelMs = end.levelMs;
      for (const [other, ms] of joinedMs) levelMs += ms * delayOfWork(other, name, load);
      return { ...end, levelMs };
    },
    joined(model, costMs) {
      const name = canonicalModelName(model);
      joinedMs.set(name, (joinedMs.get(name) ?? 0) + costMs);
    },
    async startOfJob({ state, position: ahead, tag, job, queueName, standing }) {
      if (state !== "waiting" || standing !== "" || ahead === undefined || tag === undefined || !job)
        return undefined;
      return forecasts.startOf({ queueName, model: job.model, tag, ahead });
    },
    note(job, eta) {
      const now = performance.now();
      if (now - notedAt < notedEveryMs) return;
      notedAt = now;
      // A hint for a metric: without it the job is as good.
      noteForetold(space, job, eta).catch(() => undefined);
    },
  };
  return forecasts;
}

/** The hosts that are up and take jobs, each once, whoever announced it. */
function backendsOf(leases: readonly WorkerLease[]): BackendState[] {
  const backends = new Map<string, BackendState>();
  for (const { name, up, draining, slots, models } of leases.flatMap((lease) => lease.backends)) {
    if (!up || draining) continue;
    const served = models.map((model) => ({
      name: canonicalModelName(model.name),
      slots: model.out ? 0 : (model.slots ?? slots),
      loaded: model.loaded,
    }));
    backends.set(name, { name, models: served });
  }
  return [...backends.values()];
}
