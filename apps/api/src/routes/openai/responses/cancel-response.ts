import { OpenaiRefusal, wholeResponse } from "@forebay/openai-format";
import type { ApiHandler } from "../../../http/api-env.ts";
import { jsonResponse } from "../../../http/json-response.ts";
import { closedSignal } from "../../jobs/closed-signal.ts";
import type { JobDeps } from "../../jobs/job-deps.ts";
import { endResponse } from "./end-response.ts";
import { findResponse } from "./find-response.ts";

/** `POST /v1/responses/{id}/cancel`. One that has ended stays what it is, however often it is cancelled. */
export function cancelResponse(deps: JobDeps): ApiHandler {
  return async (context) => {
    const caller = context.get("caller");
    const id = context.req.param("id") ?? "";
    const found = await findResponse(deps, caller, id);
    if (!found.response.job.response.background) {
      const why = "Only a response in the background can be cancelled; this one ends with its connection.";
      throw new OpenaiRefusal(400, why, { param: "id", code: "response_not_in_background" });
    }
    await endResponse(deps, caller, found, closedSignal(context.env.outgoing));
    return jsonResponse(200, wholeResponse((await findResponse(deps, caller, id)).response));
  };
}
