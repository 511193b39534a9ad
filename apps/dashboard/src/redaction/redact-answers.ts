import { z } from "zod";
import { boardError } from "../board/board-error.ts";
import { type DashboardMiddleware, pathOf } from "../dashboard-env.ts";
import type { DashboardEvents } from "../events.ts";
import { redactedAnswers, redactedErrorSchema } from "./board-answers.ts";

/**
 * Around the board's API, for viewers who may not see prompts and answers: an answer passes only in a shape
 * that is known to be free of them. Formatters of Bull Board would leave out logs, error texts and stacks.
 */
export function redactAnswers(basePath: string, events: DashboardEvents): DashboardMiddleware {
  const prefix = `${basePath}/api`;
  return async (context, next) => {
    if (context.get("viewer").seesPayloads) return next();
    const path = pathOf(context);
    const known = redactedAnswers.find((each) => each.path.test(path.slice(prefix.length)));
    if (!known) return boardError(context, 403, "FORBIDDEN", "role_required");
    await next();
    const answer = context.res;
    try {
      const schema = answer.ok ? known.schema : redactedErrorSchema;
      const shown = schema.parse(await answer.json());
      context.res = Response.json(shown, { status: answer.status });
    } catch (error) {
      // A syntax error would quote the answer.
      events.answerWithheld(path, error instanceof z.ZodError ? z.prettifyError(error) : "it is not JSON");
      context.res = boardError(context, 500, "INTERNAL_SERVER_ERROR", "answer_withheld");
    }
  };
}
