import { jobIdTimeMs, queueTagOfJobId } from "@forebay/queue-contracts";
import { runPipeline } from "../dead-letters/run-pipeline.ts";
import type { QueueDirectory } from "../queues/queue-directory.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { indexEnded, indexOpen, indexRemoved, tenantKeys } from "../jobs/tenant-index.ts";
import { decideIndexRepair, type JobPlace } from "./decide-index-repair.ts";

const scanCount = 500;

export type IndexRepairs = { examined: number; repaired: number };

/**
 * Mends the tenants' indexes step by step: entries whose job ended, runs again, or is gone for good. What a
 * call leaves undone the next one goes on with.
 */
export type IndexRepairer = {
  /** Looks at about `max` entries. */
  repair(max: number, signal: AbortSignal): Promise<IndexRepairs>;
};

type Step = { readonly tenant: string; readonly set: "open" | "ended" };

export function createIndexRepairer(space: QueueSpace, directory: QueueDirectory): IndexRepairer {
  // How wrong entries looked at the last glance, by set and id. Of one round only, so it stays small.
  let suspects = new Map<string, JobPlace>();
  let nextSuspects = new Map<string, JobPlace>();
  let steps: Step[] = [];
  let cursor = "0";

  const examine = async (step: Step, ids: readonly string[]): Promise<number> => {
    const places = await readPlaces(space, directory, ids);
    const pipeline = space.client.pipeline();
    for (const [index, id] of ids.entries()) {
      const place = places[index] ?? "gone";
      const name = `${step.tenant} ${step.set} ${id}`;
      const ageMs = Date.now() - jobIdTimeMs(id);
      const repair = decideIndexRepair({ indexed: step.set, place, before: suspects.get(name), ageMs });
      if (repair === "watch") nextSuspects.set(name, place);
      if (repair === "to-ended") indexEnded(pipeline, space, step.tenant, id);
      if (repair === "to-open") indexOpen(pipeline, space, step.tenant, id);
      if (repair === "remove") indexRemoved(pipeline, space, step.tenant, id);
    }
    // Every repair is two commands.
    const repaired = pipeline.length / 2;
    await runPipeline(pipeline);
    return repaired;
  };

  const beginRound = async (): Promise<void> => {
    suspects = nextSuspects;
    nextSuspects = new Map();
    const tenants = await listTenants(space);
    steps = tenants.flatMap((tenant) => [
      { tenant, set: "open" as const },
      { tenant, set: "ended" as const },
    ]);
    cursor = "0";
  };

  return {
    async repair(max, signal) {
      const done = { examined: 0, repaired: 0 };
      if (steps.length === 0) await beginRound();
      for (let step = steps[0]; step && done.examined < max && !signal.aborted; step = steps[0]) {
        const key = tenantKeys(space, step.tenant)[step.set];
        const [next, flat] = await space.client.zscan(key, cursor, "COUNT", scanCount);
        const ids = flat.filter((_, index) => index % 2 === 0);
        done.repaired += await examine(step, ids);
        done.examined += ids.length;
        cursor = next;
        if (next === "0") steps.shift();
      }
      return done;
    },
  };
}

/** Every tenant that has an index. Walks the keyspace in small steps: no list of tenants is kept anywhere. */
async function listTenants(space: QueueSpace): Promise<string[]> {
  const begin = space.key("jobs", "");
  const tenants = new Set<string>();
  let cursor = "0";
  do {
    const [next, keys] = await space.client.scan(
      cursor,
      "MATCH",
      `${begin}*`,
      "COUNT",
      1_000,
      "TYPE",
      "zset",
    );
    cursor = next;
    for (const key of keys) {
      const [, tenant] = /^([^:]+):(?:open|ended)$/.exec(key.slice(begin.length)) ?? [];
      if (tenant !== undefined) tenants.add(tenant);
    }
  } while (cursor !== "0");
  return [...tenants];
}

async function readPlaces(
  space: QueueSpace,
  directory: QueueDirectory,
  ids: readonly string[],
): Promise<JobPlace[]> {
  const homes = await Promise.all(ids.map((id) => directory.nameOfTag(queueTagOfJobId(id) ?? "")));
  const places = await readHashes(space, ids, homes);
  const absent = ids.filter((_, index) => places[index] === "gone");
  if (absent.length === 0) return places;
  // Not where their ids point to: redriven to another model, or gone.
  const moved = await space.client.mget(absent.map((id) => space.key("moved", id)));
  const found = await readHashes(space, absent, moved);
  const byId = new Map(absent.map((id, index) => [id, found[index] ?? "gone"]));
  return places.map((place, index) => byId.get(ids[index] ?? "") ?? place);
}

async function readHashes(
  space: QueueSpace,
  ids: readonly string[],
  queues: readonly (string | null | undefined)[],
): Promise<JobPlace[]> {
  const pipeline = space.client.pipeline();
  for (const [index, id] of ids.entries()) {
    pipeline.hmget(space.jobKey(queues[index] ?? "none", id), "timestamp", "finishedOn");
  }
  const replies = (await runPipeline(pipeline)) as (string | null)[][];
  return replies.map(([timestamp, finishedOn]) => {
    if (!timestamp) return "gone";
    return finishedOn ? "ended" : "open";
  });
}
