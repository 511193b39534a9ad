import { type ModelAnnouncement, type QueueSpace, readRegistry } from "@forebay/queue-bullmq";
import { canonicalModelName } from "@forebay/queue-contracts";
import { createCachedReading } from "../cached-reading.ts";
import { Problem } from "../http/problem.ts";
import { backoffS } from "./retry-after.ts";

export type KnownModels = {
  read(): Promise<ModelAnnouncement>;
  /** Throws Problem when no worker has it. */
  require(model: string): Promise<void>;
};

const believedMs = 1_000;
/** A model may have come a moment ago; asking again for every unknown name would let callers hammer Redis. */
const recheckMs = 50;

export function createKnownModels(space: QueueSpace): KnownModels {
  const registry = createCachedReading(() => readRegistry(space), believedMs);
  return {
    read: () => registry.get(),
    async require(model) {
      const name = canonicalModelName(model);
      if ((await registry.get()).models.has(name)) return;
      const { models } = await registry.get(recheckMs);
      if (models.has(name)) return;
      throw models.size === 0 ? noWorkers() : modelNotFound(model, models);
    },
  };
}

function noWorkers(): Problem {
  const detail = "No worker has announced a model yet; is one running, and does its Ollama have a model?";
  return new Problem("no_workers", detail, { retryAfterS: backoffS(5) });
}

function modelNotFound(model: string, models: ReadonlySet<string>): Problem {
  const known = [...models].toSorted();
  return new Problem("model_not_found", `No backend has the model ${model}. Known: ${known.join(", ")}.`, {
    errors: [{ path: "model", message: "is not known here" }],
    members: { models: known },
  });
}
