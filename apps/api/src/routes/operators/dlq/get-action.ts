import { actionIdSchema, readAction } from "@forebay/queue-bullmq";
import type { ApiHandler } from "../../../http/api-env.ts";
import { jsonResponse } from "../../../http/json-response.ts";
import { Problem } from "../../../http/problem.ts";
import { refuseQuery } from "../../../http/query.ts";
import { actionView } from "./action-view.ts";
import type { DlqDeps } from "./dlq-deps.ts";

/** `GET /dlq/actions/{id}` */
export function getAction({ space }: DlqDeps): ApiHandler {
  return async (context) => {
    refuseQuery(context.req.url);
    const id = context.req.param("id") ?? "";
    const record = actionIdSchema.safeParse(id).success ? await readAction(space, id) : undefined;
    if (!record) throw new Problem("action_not_found", "There is no action with this id (any more).");
    return jsonResponse(200, actionView(record));
  };
}
