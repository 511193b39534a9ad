import { embeddingsAnswer, embeddingsBodySchema, present } from "@forebay/openai-format";
import type { ApiHandler } from "../../http/api-env.ts";
import { readJsonBody } from "../../http/read-json-body.ts";
import { closedSignal } from "../jobs/closed-signal.ts";
import type { JobDeps } from "../jobs/job-deps.ts";
import { answerOpenai } from "./answer-openai.ts";
import { openOpenaiCall, parseOpenaiBody } from "./open-openai-call.ts";

/** `POST /v1/embeddings` */
export function embeddings(deps: JobDeps): ApiHandler {
  return async (context) => {
    const body = parseOpenaiBody(embeddingsBodySchema, await readJsonBody(context.env.incoming, deps.body));
    const request = present({ input: body.input, dimensions: body.dimensions });
    const { call } = await openOpenaiCall(deps, context, "embed", body, { request, stream: false });
    const closed = closedSignal(context.env.outgoing);
    return answerOpenai(deps, context, call, closed, (job) =>
      embeddingsAnswer(job, { ...body, model: call.model }),
    );
  };
}
