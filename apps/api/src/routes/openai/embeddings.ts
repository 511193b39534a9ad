import {
  embeddingsAnswer,
  embeddingsBodySchema,
  OpenaiRefusal,
  present,
  refusalOfFailure,
} from "@forebay/openai-format";
import { awaitCall } from "../../calls/await-call.ts";
import { servedBy } from "../../calls/served-by.ts";
import type { ApiHandler } from "../../http/api-env.ts";
import { jsonResponse } from "../../http/json-response.ts";
import { readJsonBody } from "../../http/read-json-body.ts";
import { closedSignal } from "../jobs/closed-signal.ts";
import type { JobDeps } from "../jobs/job-deps.ts";
import { openOpenaiCall, parseOpenaiBody } from "./open-openai-call.ts";

/** `POST /v1/embeddings` */
export function embeddings(deps: JobDeps): ApiHandler {
  return async (context) => {
    const body = parseOpenaiBody(embeddingsBodySchema, await readJsonBody(context.env.incoming, deps.body));
    const request = present({ input: body.input, dimensions: body.dimensions });
    const { call } = await openOpenaiCall(deps, context, "embed", body, { request, stream: false });
    const job = await awaitCall(call, closedSignal(context.env.outgoing));
    if (!job) throw new OpenaiRefusal(499, "The request was cancelled.", { code: "cancelled" });
    if (job.failure) throw refusalOfFailure(job.failure);
    return jsonResponse(200, embeddingsAnswer(job, { ...body, model: call.model }), servedBy(call));
  };
}
