import { errorBody, OpenaiRefusal, refusalOfFailure } from "@forebay/openai-format";
import type { Failure } from "@forebay/queue-contracts";
import { answerWhole, type WholeAnswer } from "../../calls/answer-whole.ts";
import type { Call } from "../../calls/open-call.ts";
import type { ApiContext } from "../../http/api-env.ts";
import type { JobDeps } from "../jobs/job-deps.ts";
import { parsePrefer } from "../jobs/parse-prefer.ts";
import { viewOwnJob } from "../jobs/view-own-job.ts";

/** The answer to a call that is not streamed, as OpenAI would give it. Throws OpenaiRefusal. */
export function answerOpenai(
  deps: JobDeps,
  context: ApiContext,
  call: Call,
  closed: AbortSignal,
  answer: WholeAnswer["answer"],
  refusalBody: (failure: Failure) => object = (failure) => errorBody(refusalOfFailure(failure)),
): Promise<Response> {
  const { incoming, outgoing } = context.env;
  const connection = {
    outgoing,
    closed,
    silenceMs: deps.calls.silenceMs,
    prefer: parsePrefer(incoming.headers.prefer?.toString()),
    view: () => viewOwnJob(deps, context.get("caller"), call.id),
  };
  return answerWhole(call, connection, {
    answer,
    refusal: refusalOfFailure,
    refusalBody,
    cancelled: () => new OpenaiRefusal(499, "The request was cancelled.", { code: "cancelled" }),
  });
}
