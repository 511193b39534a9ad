import { canonicalModelName } from "@forebay/queue-contracts";
import { z } from "zod";
import { parseJson } from "../jobs/job-record.ts";
import type { QueueSpace } from "./queue-space.ts";

const modelSchema = z.object({
  name: z.string(),
  digest: z.string().optional(),
  size: z.number().optional(),
  modified_at: z.string().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
  loaded: z.boolean(),
  /** Parallel generations it is given; calls of this worker it runs; whether it is left alone after failures. */
  slots: z.number().optional(),
  busy: z.number().optional(),
  out: z.boolean().optional(),
});

/** What a worker says about itself every few seconds; forgotten when it stops saying so. */
export const workerLeaseSchema = z.object({
  worker: z.string(),
  started_at: z.iso.datetime(),
  backends: z.array(
    z.object({
      name: z.string(),
      up: z.boolean(),
      version: z.string().optional(),
      /** Parallel generations of a model that has no number of its own below. */ slots: z.number(),
      models: z.array(modelSchema),
      /** Takes nothing new: an operator said so. */ draining: z.boolean().optional(),
      /** Affinities in its memory: models, with the runner options they were loaded with. */
      loaded: z.array(z.string()).optional(),
      /** Changes of its models may be asked for. */ takes_model_changes: z.boolean().optional(),
      /** The affinity it is loading. */ loading: z.string().optional(),
    }),
  ),
  /** Jobs this worker ended per second, over about the last minute, by model. */
  finished_per_s: z.record(z.string(), z.number()),
});
export type WorkerLease = z.infer<typeof workerLeaseSchema>;

/** How long a model stays known when no worker is alive to announce it: an outage must not refuse jobs. */
const modelMemoryS = 7 * 24 * 3_600;

export type ModelAnnouncement = {
  /** Everything the live workers say. */ readonly leases: WorkerLease[];
  /** Canonical names served now, or lately while no worker is alive. */ readonly models: ReadonlySet<string>;
};

/** Writes the lease of this worker for `leaseS` seconds; call it again well before that. */
export async function announceWorker(space: QueueSpace, lease: WorkerLease, leaseS: number): Promise<void> {
  const pipeline = space.client.pipeline();
  pipeline.set(space.key("worker", lease.worker), JSON.stringify(lease), "EX", leaseS);
  pipeline.sadd(space.key("workers"), lease.worker);
  const names = [...new Set(lease.backends.flatMap((backend) => backend.models.map((model) => model.name)))];
  if (names.length > 0) {
    pipeline.sadd(space.key("models"), ...names.map(canonicalModelName));
    pipeline.expire(space.key("models"), modelMemoryS);
  }
  await pipeline.exec();
}

/** Takes the lease back, on an orderly stop. */
export async function retractWorker(space: QueueSpace, worker: string): Promise<void> {
  await space.client.pipeline().del(space.key("worker", worker)).srem(space.key("workers"), worker).exec();
}

/** Reads every live lease. Leases end by Redis's own clock, so that clocks of machines do not matter. */
export async function readRegistry(space: QueueSpace): Promise<ModelAnnouncement> {
  const workers = await space.client.smembers(space.key("workers"));
  const texts =
    workers.length === 0 ? [] : await space.client.mget(workers.map((id) => space.key("worker", id)));
  const gone = workers.filter((_, index) => texts[index] === null);
  if (gone.length > 0) await space.client.srem(space.key("workers"), ...gone);
  const leases = texts
    .map((text) => workerLeaseSchema.safeParse(parseJson(text ?? undefined)).data)
    .filter((lease) => lease !== undefined);
  const names = leases.flatMap((lease) => lease.backends.flatMap((backend) => backend.models));
  const live = names.map((model) => canonicalModelName(model.name));
  const remembered = leases.length > 0 ? [] : await space.client.smembers(space.key("models"));
  return { leases, models: new Set([...live, ...remembered]) };
}
