import { OpenaiRefusal } from "@forebay/openai-format";
import type { ErrorHandler } from "hono";
import type { ApiEvents } from "../../events.ts";
import { answerError } from "../../http/answer-error.ts";
import type { ApiContext, ApiEnv } from "../../http/api-env.ts";
import { describe } from "../../http/observe.ts";
import { Problem } from "../../http/problem.ts";
import { refusalOfProblem, refusalResponse } from "./openai-refusal.ts";

/** Whatever a handler throws → OpenAI's error body. */
export function answerRefusal(events: ApiEvents): ErrorHandler<ApiEnv> {
  return async (error, context) => refusalResponse(await refusalOfError(events, error, context));
}

/** Whatever a handler throws → how it is refused, and a line in the log. */
export async function refusalOfError(
  events: ApiEvents,
  error: Error,
  context: ApiContext,
): Promise<OpenaiRefusal> {
  if (error instanceof OpenaiRefusal) return error;
  if (error instanceof Problem) {
    events.requestRefused(error, describe(context));
    return refusalOfProblem(error);
  }
  const answer = await answerError(events)(error, context);
  const { detail } = (await answer.json()) as { detail: string };
  const retryAfter = answer.headers.get("retry-after");
  return new OpenaiRefusal(answer.status, detail, {
    retryAfterS: retryAfter ? Number(retryAfter) : undefined,
  });
}
