import { idempotencyKey } from "../jobs/idempotency.ts";
import { type Page, type PageQuery, readPage } from "../files/read-page.ts";
import { fileKey } from "../files/file-keys.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import {
  batchChannel,
  batchKey,
  endedBatchesKey,
  openBatchesKey,
  recordedLinesKey,
  takenLinesKey,
  tenantBatchesKey,
} from "./batch-keys.ts";
import {
  type BatchHead,
  type BatchRecord,
  type BatchStatus,
  batchStatusSchema,
  parseBatch,
} from "./batch-record.ts";
import { addBatchScript, cancelBatchScript } from "./batch-scripts.ts";

/** What a request to make a batch came to. */
export type AddBatchAnswer =
  | { kind: "added" }
  | { kind: "no_file" }
  /** Its idempotency key was used before: for the same request, or for another one. */
  | { kind: "same" | "mismatch"; id: string };

/** Batches as callers and upkeep see them; what runs them writes by `claimBatch`. */
export type BatchStore = {
  /** Writes a new batch, unless its input file is gone. It runs once `enqueueBatch` was called. */
  add(head: BatchHead, claim?: { key: string; fingerprint: string; ttlS: number }): Promise<AddBatchAnswer>;
  find(id: string): Promise<BatchRecord | undefined>;
  list(tenant: string, query: PageQuery): Promise<Page<BatchRecord>>;
  /** Wants it stopped. Returns the status it has now: `cancelling`, unless it was too late. */
  cancel(id: string): Promise<BatchStatus | undefined>;
  /** Ids of batches that are not over, oldest first. */
  listOpen(): Promise<string[]>;
  /** Erases batches that ended long enough ago; returns how many. */
  eraseOld(nowS: number, max: number): Promise<number>;
};

export function createBatchStore(space: QueueSpace): BatchStore {
  const { client } = space;
  const find: BatchStore["find"] = async (id) => parseBatch(await client.hgetall(batchKey(space, id)));
  return {
    find,
    async add(head, claim) {
      const { id, tenant } = head;
      const keys = [batchKey(space, id), tenantBatchesKey(space, tenant), openBatchesKey(space)];
      const claimKey = claim ? [idempotencyKey(space, tenant, `batches ${claim.key}`)] : [];
      const reply = (await addBatchScript(
        client,
        [...keys, fileKey(space, head.input_file_id), ...claimKey],
        [
          JSON.stringify(head),
          Date.now(),
          head.created_at,
          id,
          tenant,
          claim ? `${id} ${claim.fingerprint}` : "",
          claim?.ttlS ?? 0,
        ],
      )) as string;
      if (reply === "added" || reply === "no_file") return { kind: reply };
      const [earlier = "", fingerprint] = reply.split(" ");
      return { kind: fingerprint === claim?.fingerprint ? "same" : "mismatch", id: earlier };
    },
    list: (tenant, query) => readPage(space, tenantBatchesKey(space, tenant), query, find),
    async cancel(id) {
      const reply = await cancelBatchScript(client, [batchKey(space, id)], [nowS()]);
      await client.publish(batchChannel(space), id);
      return batchStatusSchema.safeParse(reply).data;
    },
    listOpen: () => client.zrange(openBatchesKey(space), "0", "-1"),
    async eraseOld(now, max) {
      const ids = await client.zrangebyscore(endedBatchesKey(space), "-inf", now, "LIMIT", 0, max);
      for (const id of ids) {
        const batch = await find(id);
        await client.unlink(batchKey(space, id), recordedLinesKey(space, id), takenLinesKey(space, id));
        if (batch) await client.zrem(tenantBatchesKey(space, batch.tenant), id);
        await client.zrem(endedBatchesKey(space), id);
      }
      return ids.length;
    },
  };
}

const nowS = (): number => Math.floor(Date.now() / 1_000);
