import { OpenaiRefusal } from "@forebay/openai-format";
import { batchIdSchema, type BatchRecord, type BatchStore } from "@forebay/queue-bullmq";
import type { Caller } from "../../../auth/caller.ts";

/** A batch of the caller's tenant. Throws OpenaiRefusal: somebody else's and none at all look the same. */
export async function findBatch(batches: BatchStore, caller: Caller, id: string): Promise<BatchRecord> {
  const batch = batchIdSchema.safeParse(id).success ? await batches.find(id) : undefined;
  if (batch?.tenant === caller.tenant) return batch;
  throw new OpenaiRefusal(404, "There is no such batch: it never was, or is not kept any more.", {
    code: "batch_not_found",
  });
}
