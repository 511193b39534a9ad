import { OpenaiRefusal } from "@forebay/openai-format";
import { createFileId, isBatchOver } from "@forebay/queue-bullmq";
import type { ApiHandler } from "../../../http/api-env.ts";
import { jsonResponse } from "../../../http/json-response.ts";
import type { FileDeps } from "../files/file-deps.ts";
import { findFile } from "../files/find-file.ts";
import { addBatch } from "./add-batch.ts";
import { batchView } from "./batch-view.ts";
import { findBatch } from "./find-batch.ts";

/** `POST /v1/batches/{id}/cancel` */
export function cancelBatch({ batches, events }: FileDeps): ApiHandler {
  return async (context) => {
    const caller = context.get("caller");
    const { id } = await findBatch(batches, caller, context.req.param("id") ?? "");
    const status = await batches.cancel(id);
    if (status !== "cancelling" && status !== "cancelled") {
      throw new OpenaiRefusal(409, `The batch is ${status ?? "gone"} and cannot be cancelled.`, {
        code: "already_finished",
      });
    }
    events.batchCancelled(id, caller);
    return jsonResponse(200, batchView(await findBatch(batches, caller, id)));
  };
}

/** `POST /v1/batches/{id}/retry`: a new batch of the failed lines of one that is over. */
export function retryBatch(deps: FileDeps): ApiHandler {
  return async (context) => {
    const caller = context.get("caller");
    const earlier = await findBatch(deps.batches, caller, context.req.param("id") ?? "");
    if (!isBatchOver(earlier.status)) {
      const message = `The batch is ${earlier.status}: its failed lines can be run again when it is over.`;
      throw new OpenaiRefusal(409, message, { code: "batch_not_over" });
    }
    if (earlier.failed === 0) {
      throw new OpenaiRefusal(400, "None of its lines failed.", { code: "nothing_to_retry" });
    }
    const { filename } = await findFile(deps.files, caller, earlier.input_file_id);
    await findFile(deps.files, caller, earlier.error_file_id);
    const input_file_id = createFileId();
    const created_at = Math.floor(Date.now() / 1_000);
    const expires_at = created_at + deps.uploads.retentionS;
    const { tenant } = caller;
    // Filled by batch-runner, from the input and the error file of the earlier one.
    await deps.files.add(
      { v: 1, id: input_file_id, tenant, purpose: "batch", filename, created_at, expires_at },
      [],
    );
    const { endpoint, metadata, id: retry_of } = earlier;
    const wanted = { endpoint, input_file_id, retry_of, ...(metadata && { metadata }) };
    const { batch } = await addBatch(deps, caller, wanted).catch(async (error: unknown) => {
      await deps.files.remove(input_file_id, tenant);
      throw error;
    });
    return jsonResponse(200, batchView(batch));
  };
}
