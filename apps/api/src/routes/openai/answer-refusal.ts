import { OpenaiRefusal } from "@forebay/openai-format";
import type { ErrorHandler } from "hono";
import type { ApiEvents } from "../../events.ts";
import { answerError } from "../../http/answer-error.ts";
import type { ApiEnv } from "../../http/api-env.ts";
import { describe } from "../../http/observe.ts";
import { Problem } from "../../http/problem.ts";
import { refusalOfProblem, refusalResponse } from "./openai-refusal.ts";

/** Whatever a handler throws → OpenAI's error body. */
export function answerRefusal(events: ApiEvents): ErrorHandler<ApiEnv> {
  const answerOther = answerError(events);
  return async (error, context) => {
    if (error instanceof OpenaiRefusal) return refusalResponse(error);
    if (error instanceof Problem) {
      events.requestRefused(error, describe(context));
      return refusalResponse(refusalOfProblem(error));
    }
    const answer = await answerOther(error, context);
    const { detail } = (await answer.json()) as { detail: string };
    const retryAfter = answer.headers.get("retry-after");
    return refusalResponse(
      new OpenaiRefusal(answer.status, detail, { retryAfterS: retryAfter ? Number(retryAfter) : undefined }),
    );
  };
}
