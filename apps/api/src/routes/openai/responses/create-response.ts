import { OpenaiRefusal, parseResponseBody, toResponseJob, wholeResponse } from "@forebay/openai-format";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Call } from "../../../calls/open-call.ts";
import type { ApiHandler } from "../../../http/api-env.ts";
import { jsonResponse } from "../../../http/json-response.ts";
import { readJsonBody } from "../../../http/read-json-body.ts";
import { closedSignal } from "../../jobs/closed-signal.ts";
import type { JobDeps } from "../../jobs/job-deps.ts";
import { answerOpenai } from "../answer-openai.ts";
import { openOpenaiCall } from "../open-openai-call.ts";
import { findPrevious, type FoundResponse, readResponse } from "./find-response.ts";
import { resolveReferences } from "./resolve-references.ts";
import { streamResponse } from "./stream-response.ts";

/** `POST /v1/responses` */
export function createResponse(deps: JobDeps): ApiHandler {
  return async (context) => {
    const { incoming, outgoing } = context.env;
    const caller = context.get("caller");
    const body = parseResponseBody(await readJsonBody(incoming, deps.body));
    const { previous_response_id: previous, background, stream } = body;
    const followed = typeof previous === "string" ? await findPrevious(deps, caller, previous) : undefined;
    const input = await resolveReferences(deps, caller, body.input);
    // A background response may be streamed later, too.
    const job = {
      ...toResponseJob({ ...body, input }, followed),
      stream: stream === true || background === true,
    };
    const { call } = await openOpenaiCall(deps, context, "chat", body, job);
    const read = async (): Promise<FoundResponse> => {
      const found = await readResponse(deps, caller, call.id);
      if (!found) throw new OpenaiRefusal(404, "The response was deleted.");
      return found;
    };
    if (stream) {
      const found = await read();
      if (!background) cancelWhenClosed(call, closedSignal(outgoing));
      await streamResponse(deps, outgoing, found, -1);
      return RESPONSE_ALREADY_SENT;
    }
    if (!background) {
      const answer = async () => wholeResponse((await read()).response);
      return answerOpenai(deps, context, call, closedSignal(outgoing), answer);
    }
    return jsonResponse(200, wholeResponse((await read()).response));
  };
}

function cancelWhenClosed(call: Call, closed: AbortSignal): void {
  // With Redis away there is nobody to tell, and nobody who waits for an answer.
  const cancel = (): void => void call.cancel().catch(() => undefined);
  if (closed.aborted) cancel();
  else closed.addEventListener("abort", cancel, { once: true });
}
