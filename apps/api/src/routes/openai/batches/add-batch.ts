import { OpenaiRefusal } from "@forebay/openai-format";
import {
  type BatchHead,
  type BatchRecord,
  createBatchId,
  createFileId,
  enqueueBatch,
  noteRunningMax,
} from "@forebay/queue-bullmq";
import type { Caller } from "../../../auth/caller.ts";
import type { FileDeps } from "../files/file-deps.ts";

const windowS = 24 * 3_600;
const rememberedS = 24 * 3_600;

type NewBatch = Pick<BatchHead, "endpoint" | "input_file_id" | "metadata" | "retry_of"> & {
  /** Of its output files, in seconds. */ readonly filesAgeS?: number | undefined;
};

/** Records a batch and asks for it to be run; with a key that was used before, the batch it made then. */
export async function addBatch(
  deps: FileDeps,
  caller: Caller,
  wanted: NewBatch,
  once?: { key: string; fingerprint: string },
): Promise<{ batch: BatchRecord; replayed: boolean }> {
  if (caller.lanes && !caller.lanes.includes("batch")) {
    throw new OpenaiRefusal(403, "This key may not use the lane batch.", { code: "forbidden" });
  }
  const { filesAgeS = deps.uploads.retentionS, ...named } = wanted;
  const created_at = Math.floor(Date.now() / 1_000);
  const head: BatchHead = {
    v: 1,
    id: createBatchId(),
    tenant: caller.tenant,
    ...named,
    output_file_id: createFileId(),
    error_file_id: createFileId(),
    ...(deps.jobs.names.aliases.size > 0 && { aliases: Object.fromEntries(deps.jobs.names.aliases) }),
    ...(caller.models && { models: [...caller.models] }),
    ...(caller.jobsOpenMax !== undefined && { jobs_open_max: caller.jobsOpenMax }),
    ...(caller.rates.tokensPerDay !== undefined && { tokens_per_day: caller.rates.tokensPerDay }),
    created_at,
    expires_at: created_at + windowS,
    files_expire_at: created_at + filesAgeS,
  };
  // Who puts its lines does not know the key.
  await noteRunningMax(deps.space, caller.tenant, deps.admission.runningMaxOf(caller));
  const answer = await deps.batches.add(head, once && { ...once, ttlS: rememberedS });
  if (answer.kind === "no_file") {
    throw new OpenaiRefusal(404, "The input file was deleted.", {
      code: "file_not_found",
      param: "input_file_id",
    });
  }
  if (answer.kind === "mismatch") {
    const message = "This Idempotency-Key was used for another batch.";
    throw new OpenaiRefusal(422, message, { code: "idempotency_mismatch" });
  }
  if (answer.kind === "added") deps.events.batchAccepted(head, caller);
  const id = answer.kind === "same" ? answer.id : head.id;
  // It is recorded: batch-runner asks again for those that nobody asked for.
  await enqueueBatch(deps.space, id).catch(() => undefined);
  const batch = await deps.batches.find(id);
  if (batch) return { batch, replayed: answer.kind === "same" };
  throw new OpenaiRefusal(
    410,
    "The batch made with this Idempotency-Key is not kept any more; use a new key.",
    {
      code: "batch_gone",
    },
  );
}
