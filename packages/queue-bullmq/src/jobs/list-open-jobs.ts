import type { QueueDirectory } from "../queues/queue-directory.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import type { JobRecord } from "./job-record.ts";
import { readJob, readJobOn } from "./read-job.ts";
import { tenantKeys } from "./tenant-index.ts";

/** Jobs read at once: others wait for their turn as long as that takes. */
const chunkSize = 100;

export type OpenJobs = {
  /** undefined: of all tenants. */ readonly tenant?: string | undefined;
  /** On which queues to look, by their model, where no tenant is given; default all. */
  readonly onModel?: (model: string) => boolean;
};

/**
 * Jobs that wait, are delayed or run, in chunks and in no order, each once. A job that is one of them from the
 * beginning to the end is among them, whatever is done with others meanwhile; one that is put meanwhile may be.
 */
export async function* listOpenJobs(
  space: QueueSpace,
  directory: QueueDirectory,
  { tenant, onModel = () => true }: OpenJobs,
): AsyncGenerator<JobRecord[]> {
  if (tenant !== undefined) {
    const ids = scanSet(space, tenantKeys(space, tenant).open);
    yield* readChunks(ids, (id) => readJob(space, directory, id));
    return;
  }
  for (const { name, model } of await directory.list()) {
    if (onModel(model)) yield* readChunks(scanQueue(space, name), (id) => readJobOn(space, name, id));
  }
}

async function* readChunks(
  ids: AsyncIterable<string[]>,
  read: (id: string) => Promise<JobRecord | undefined>,
): AsyncGenerator<JobRecord[]> {
  // A scan may show an element twice, and a job may move from set to set.
  const seen = new Set<string>();
  for await (const page of ids) {
    const fresh = page.filter((id) => !seen.has(id));
    for (const id of fresh) seen.add(id);
    for (let from = 0; from < fresh.length; from += chunkSize) {
      const records = await Promise.all(fresh.slice(from, from + chunkSize).map(read));
      yield records.filter((record) => record !== undefined).filter(({ finishedAt }) => !finishedAt);
    }
  }
}

async function* scanQueue(space: QueueSpace, queueName: string): AsyncGenerator<string[]> {
  const key = (part: string): string => space.jobKey(queueName, part);
  // In the order in which a job moves through them.
  yield* scanSet(space, key("delayed"));
  yield* scanSet(space, key("prioritized"));
  yield await space.client.lrange(key("wait"), 0, "-1");
  yield await space.client.lrange(key("active"), 0, "-1");
}

async function* scanSet({ client }: QueueSpace, key: string): AsyncGenerator<string[]> {
  let cursor = "0";
  do {
    const [next, flat] = await client.zscan(key, cursor, "COUNT", 500);
    // Members and scores in turns.
    yield flat.filter((_, index) => index % 2 === 0);
    cursor = next;
  } while (cursor !== "0");
}
