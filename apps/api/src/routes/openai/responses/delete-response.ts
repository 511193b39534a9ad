import { OpenaiRefusal } from "@forebay/openai-format";
import { removeJob } from "@forebay/queue-bullmq";
import type { ApiHandler } from "../../../http/api-env.ts";
import { jsonResponse } from "../../../http/json-response.ts";
import { closedSignal } from "../../jobs/closed-signal.ts";
import { eraseDeadLetter } from "../../jobs/erase-dead-letter.ts";
import type { JobDeps } from "../../jobs/job-deps.ts";
import { endResponse } from "./end-response.ts";
import { findResponse } from "./find-response.ts";

/** `DELETE /v1/responses/{id}`: the job with prompt, answer and events; one that runs is cancelled first. */
export function deleteResponse(deps: JobDeps): ApiHandler {
  return async (context) => {
    const caller = context.get("caller");
    const id = context.req.param("id") ?? "";
    const found = await findResponse(deps, caller, id);
    await endResponse(deps, caller, found, closedSignal(context.env.outgoing));
    const { record, tenant } = await findResponse(deps, caller, id);
    if (!(await removeJob(deps.space, { id: record.id, queueName: record.queueName, tenant }))) {
      throw new OpenaiRefusal(409, "The response is being cancelled: delete it when that is done.", {
        code: "response_active",
      });
    }
    await eraseDeadLetter(deps.space, caller, record);
    deps.events.jobDeleted(record.id, caller);
    return jsonResponse(200, { id, object: "response", deleted: true });
  };
}
