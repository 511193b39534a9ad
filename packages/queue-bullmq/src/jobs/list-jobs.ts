import { jobIdTimeMs } from "@forebay/queue-contracts";
import type { JobRecord } from "./job-record.ts";
import type { QueueDirectory } from "../queues/queue-directory.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { readJob } from "./read-job.ts";
import { indexRemoved, tenantKeys } from "./tenant-index.ts";

const chunkSize = 100;
/** A filter that matches next to nothing must not read a tenant's whole history in one request. */
const examinedMax = 2_000;
const writtenWithinMs = 10 * 60_000;

export type JobPage = {
  readonly jobs: JobRecord[];
  /** Give it back to go on; undefined: there are no more. */
  readonly next: string | undefined;
};

/**
 * A tenant's jobs, newest first, that satisfy `matches`. A page may hold fewer than `limit` jobs and still
 * have a next one: at most 2,000 jobs are looked at per call.
 *
 * @param from id to continue after (exclusive), undefined = from the newest
 */
export async function listJobs(
  space: QueueSpace,
  directory: QueueDirectory,
  query: {
    tenant: string;
    limit: number;
    from?: string | undefined;
    createdAfterMs?: number | undefined;
    openOnly?: boolean;
    endedOnly?: boolean;
    matches: (job: JobRecord) => boolean;
  },
): Promise<JobPage> {
  const found: JobRecord[] = [];
  let from = query.from;
  for (let examined = 0; examined < examinedMax; ) {
    const ids = await readIds(space, query, from);
    const records = await Promise.all(ids.map((id) => readJob(space, directory, id)));
    for (const [index, id] of ids.entries()) {
      from = id;
      examined++;
      const record = records[index];
      if (!record) await forgetOld(space, query.tenant, id);
      else if (query.matches(record)) found.push(record);
      if (found.length === query.limit) return { jobs: found, next: from };
    }
    if (ids.length < chunkSize) return { jobs: found, next: undefined };
  }
  return { jobs: found, next: from };
}

/** The next ids after `from` in both sets, merged, newest first: ids sort by age. */
async function readIds(
  space: QueueSpace,
  query: { tenant: string; createdAfterMs?: number | undefined; openOnly?: boolean; endedOnly?: boolean },
  from: string | undefined,
): Promise<string[]> {
  const keys = tenantKeys(space, query.tenant);
  const sets = [...(query.endedOnly ? [] : [keys.open]), ...(query.openOnly ? [] : [keys.ended])];
  const min = query.createdAfterMs === undefined ? "-inf" : `(${query.createdAfterMs}`;
  const chunks = await Promise.all(sets.map((key) => readChunk(space, key, min, from)));
  const ids = new Set(chunks.flat());
  return [...ids].toSorted().toReversed().slice(0, chunkSize);
}

/** The next ids after `from` in one set. Scores are milliseconds: any number of ids may share one. */
async function readChunk(
  space: QueueSpace,
  key: string,
  min: string,
  from: string | undefined,
): Promise<string[]> {
  const max = from === undefined ? "+inf" : String(jobIdTimeMs(from));
  const after: string[] = [];
  for (let offset = 0; after.length < chunkSize; offset += chunkSize) {
    const ids = await space.client.zrevrangebyscore(key, max, min, "LIMIT", offset, chunkSize);
    after.push(...ids.filter((id) => from === undefined || id < from));
    if (ids.length < chunkSize) break;
  }
  return after;
}

/** Drops the entry of a job that is gone; a young one may be on its way, since it is indexed before it is written. */
async function forgetOld(space: QueueSpace, tenant: string, id: string): Promise<void> {
  if (Date.now() - jobIdTimeMs(id) < writtenWithinMs) return;
  const pipeline = space.client.pipeline();
  indexRemoved(pipeline, space, tenant, id);
  await pipeline.exec();
}
