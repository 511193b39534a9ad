import { readDeadLetter } from "@forebay/queue-bullmq";
import { jobIdSchema } from "@forebay/queue-contracts";
import type { ApiHandler } from "../../../http/api-env.ts";
import { jsonResponse } from "../../../http/json-response.ts";
import { Problem } from "../../../http/problem.ts";
import { refuseQuery } from "../../../http/query.ts";
import { deadLetterView } from "./dead-letter-view.ts";
import type { DlqDeps } from "./dlq-deps.ts";

/** `GET /dlq/{id}` */
export function getDeadLetter({ space }: DlqDeps): ApiHandler {
  return async (context) => {
    refuseQuery(context.req.url);
    const id = context.req.param("id") ?? "";
    const letter = jobIdSchema.safeParse(id).success ? await readDeadLetter(space, id) : undefined;
    if (!letter) {
      throw new Problem("dead_letter_not_found", "There is no dead letter with this id (any more).");
    }
    return jsonResponse(200, deadLetterView(letter, context.get("caller")));
  };
}
