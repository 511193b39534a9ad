import type { ErrorHandler } from "hono";
import type { ApiEvents } from "../../events.ts";
import { answerError } from "../../http/answer-error.ts";
import type { ApiEnv } from "../../http/api-env.ts";
import { describe } from "../../http/observe.ts";
import { jsonResponse } from "../../http/json-response.ts";
import { Problem } from "../../http/problem.ts";
import { OllamaRefusal, refusalOfProblem } from "./ollama-refusal.ts";

/** Whatever a handler throws → Ollama's error body, with the status Ollama would give. */
export function answerRefusal(events: ApiEvents): ErrorHandler<ApiEnv> {
  const answerOther = answerError(events);
  return async (error, context) => {
    if (error instanceof OllamaRefusal) return refusalResponse(error);
    if (error instanceof Problem) {
      events.requestRefused(error, describe(context));
      return refusalResponse(refusalOfProblem(error, context.get("model")));
    }
    const answer = await answerOther(error, context);
    const { detail } = (await answer.json()) as { detail: string };
    const retryAfter = answer.headers.get("retry-after");
    return refusalResponse(
      new OllamaRefusal(answer.status, detail, retryAfter ? { "retry-after": retryAfter } : {}),
    );
  };
}

function refusalResponse(refusal: OllamaRefusal): Response {
  const { status, message, headers } = refusal;
  return jsonResponse(status, { error: message }, headers);
}
