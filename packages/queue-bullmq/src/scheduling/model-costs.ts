import { canonicalModelName, type InferenceResult } from "@forebay/queue-contracts";
import {
  countChars,
  keptOf,
  type ModelCosts,
  modelCosts,
  type ModelSums,
  observeJob,
  priorSums,
} from "@forebay/scheduling";
import type { QueueSpace } from "../queues/queue-space.ts";
import { createLuaScript } from "../redis/lua.ts";

const fields = Object.keys(priorSums) as (keyof ModelSums)[];

const keyOf = (space: QueueSpace, model: string): string =>
  space.key("model-costs", canonicalModelName(model));

/** What was learned of a model is forgotten when nobody has used it for so long. Seconds. */
const keptS = 90 * 24 * 3_600;

// KEYS: hash of the model. ARGV: how long it is kept (s), then of each sum: field, prior, part that stays, what is added.
const addSums = createLuaScript(`
local learned = {}
for i = 2, #ARGV, 4 do
  local known = tonumber(redis.call("HGET", KEYS[1], ARGV[i])) or tonumber(ARGV[i + 1])
  learned[#learned + 1] = ARGV[i]
  learned[#learned + 1] = string.format("%.9g", known * tonumber(ARGV[i + 2]) + tonumber(ARGV[i + 3]))
end
redis.call("HSET", KEYS[1], unpack(learned))
redis.call("EXPIRE", KEYS[1], ARGV[1])
return 1
`);

/** Learns from jobs that completed what their models' jobs cost. */
export type CostLearner = {
  note(payload: unknown, result: InferenceResult): void;
  /** Writes what was not written yet. */ flush(): Promise<void>;
};

/** What was seen is written together: nobody needs it sooner, and a write for each job would cost as much as its start. */
const gatheredMs = 250;

/** Several observations as one: what stays of what is known, and what is added to that. */
type Gathered = { readonly kept: Sums; readonly added: Sums };
type Sums = Record<keyof ModelSums, number>;

export function createCostLearner(space: QueueSpace, onError: (error: Error) => void): CostLearner {
  const models = new Map<string, Gathered>();
  let timer: NodeJS.Timeout | undefined;

  const flush = async (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    const all = [...models];
    models.clear();
    await Promise.all(all.map(([model, seen]) => write(space, model, seen)));
  };
  return {
    note(payload, result) {
      const { model, request } = payload as { model?: unknown; request?: unknown };
      if (typeof model !== "string") return;
      const seen = observeJob(countChars(request), result);
      const before = models.get(model);
      if (before) gather(before, seen);
      else models.set(model, { kept: keptAfter(seen), added: { ...seen } });
      timer ??= setTimeout(() => void flush().catch(onError), gatheredMs).unref();
    },
    flush,
  };
}

function gather({ kept, added }: Gathered, seen: ModelSums): void {
  for (const field of fields) {
    const stays = keptOf(field, seen);
    kept[field] *= stays;
    added[field] = added[field] * stays + seen[field];
  }
}

const keptAfter = (seen: ModelSums): Sums =>
  Object.fromEntries(fields.map((field) => [field, keptOf(field, seen)])) as Sums;

async function write(space: QueueSpace, model: string, { kept, added }: Gathered): Promise<void> {
  const learned = fields.flatMap((field) => [field, priorSums[field], kept[field], added[field]]);
  await addSums(space.client, [keyOf(space, model)], [keptS, ...learned]);
}

/** What was learned of each model, by canonical name; of one that never ran, what is assumed at first. */
export async function readModelCosts(
  space: QueueSpace,
  models: readonly string[],
): Promise<ReadonlyMap<string, ModelCosts>> {
  const names = [...new Set(models.map(canonicalModelName))];
  const sums = await Promise.all(names.map((name) => readSums(space, name)));
  return new Map(names.map((name, index) => [name, modelCosts(sums[index])]));
}

async function readSums(space: QueueSpace, model: string): Promise<ModelSums> {
  const texts = await space.client.hmget(keyOf(space, model), ...fields);
  const sums = fields.map((field, index) => [field, Number(texts[index] ?? priorSums[field])] as const);
  return Object.fromEntries(sums) as ModelSums;
}
