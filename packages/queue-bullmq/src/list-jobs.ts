import { jobIdTimeMs } from "@forebay/queue-contracts";
import type { JobRecord } from "./job-record.ts";
import type { QueueDirectory } from "./queue-directory.ts";
import type { QueueSpace } from "./queue-space.ts";
import { readJob } from "./read-job.ts";
import { indexRemoved, tenantKeys } from "./tenant-index.ts";

const chunkSize = 100;
/** A filter that matches next to nothing must not read a tenant's whole history in one request. */
const examinedMax = 2_000;

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
      if (!record) await forget(space, query.tenant, id);
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
  const max = from === undefined ? "+inf" : String(jobIdTimeMs(from));
  const min = query.createdAfterMs === undefined ? "-inf" : `(${query.createdAfterMs}`;
  // One more than a chunk per entry that may share `from`'s millisecond would be needed to be exact within
  // it; a margin covers bursts.
  const ranges = await Promise.all(
    sets.map((key) => space.client.zrevrangebyscore(key, max, min, "LIMIT", 0, chunkSize * 2)),
  );
  const ids = ranges
    .flat()
    .filter((id) => from === undefined || id < from)
    .toSorted()
    .toReversed();
  return [...new Set(ids)].slice(0, chunkSize);
}

async function forget(space: QueueSpace, tenant: string, id: string): Promise<void> {
  const pipeline = space.client.pipeline();
  indexRemoved(pipeline, space, tenant, id);
  await pipeline.exec();
}
