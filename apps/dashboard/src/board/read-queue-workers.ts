import { type QueueSpace, readRegistry } from "@forebay/queue-bullmq";
import { canonicalModelName } from "@forebay/queue-contracts";
import type { QueueWorkers } from "./inference-queue-adapter.ts";

type Registry = Awaited<ReturnType<typeof readRegistry>>;

/** The workers that serve a model, from the leases they hold; leases are read at most every `ttlMs`. */
export function createQueueWorkers(
  space: QueueSpace,
  ttlMs = 2_000,
): (model: string) => Promise<QueueWorkers> {
  let last: { at: number; registry: Promise<Registry> } | undefined;
  const read = (): Promise<Registry> => {
    if (last && Date.now() - last.at < ttlMs) return last.registry;
    const reading = { at: Date.now(), registry: readRegistry(space) };
    reading.registry.catch(() => {
      if (last === reading) last = undefined;
    });
    last = reading;
    return reading.registry;
  };

  return async (model) => {
    const { leases } = await read();
    return leases.flatMap((lease) =>
      lease.backends
        .filter((backend) => backend.models.some(({ name }) => canonicalModelName(name) === model))
        .map((backend) => ({
          id: `${lease.worker} ${backend.name}`,
          name: lease.worker,
          addr: backend.name,
          age: Math.max(0, Math.round((Date.now() - Date.parse(lease.started_at)) / 1_000)),
        })),
    );
  };
}
