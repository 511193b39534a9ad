import { OpenaiRefusal } from "@forebay/openai-format";
import type { ApiHandler } from "../../../http/api-env.ts";
import { jsonResponse } from "../../../http/json-response.ts";
import { readJsonBody } from "../../../http/read-json-body.ts";
import { fingerprintBody } from "../../jobs/fingerprint-body.ts";
import { parseIdempotencyKey } from "../../jobs/idempotency-key.ts";
import type { FileDeps } from "../files/file-deps.ts";
import { findFile } from "../files/find-file.ts";
import { parseOpenaiBody } from "../open-openai-call.ts";
import { addBatch } from "./add-batch.ts";
import { batchBodySchema } from "./batch-body.ts";
import { batchView } from "./batch-view.ts";

/** `POST /v1/batches` */
export function createBatch(deps: FileDeps): ApiHandler {
  return async (context) => {
    const { incoming, outgoing } = context.env;
    const caller = context.get("caller");
    const body = parseOpenaiBody(batchBodySchema, await readJsonBody(incoming, deps.body));
    const key = parseIdempotencyKey(incoming.headers["idempotency-key"]?.toString(), undefined);
    const file = await findFile(deps.files, caller, body.input_file_id, "input_file_id");
    if (file.purpose !== "batch") {
      const message = "input_file_id: must be a file with the purpose batch.";
      throw new OpenaiRefusal(400, message, { param: "input_file_id" });
    }
    const { batch, replayed } = await addBatch(
      deps,
      caller,
      {
        endpoint: body.endpoint,
        input_file_id: file.id,
        ...(body.metadata && { metadata: body.metadata }),
        filesAgeS: body.output_expires_after?.seconds,
      },
      key === undefined ? undefined : { key, fingerprint: fingerprintBody(body) },
    );
    if (replayed) outgoing.setHeader("idempotency-replayed", "true");
    return jsonResponse(200, batchView(batch));
  };
}
