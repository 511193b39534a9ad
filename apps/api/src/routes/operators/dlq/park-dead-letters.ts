import type { ApiHandler } from "../../../http/api-env.ts";
import { refuseQuery } from "../../../http/query.ts";
import { parseBody } from "../../../http/parse-body.ts";
import { readJsonBody } from "../../../http/read-json-body.ts";
import { parkBodySchema } from "./action-body.ts";
import { askForAction, targetOf } from "./ask-for-action.ts";
import type { DlqDeps } from "./dlq-deps.ts";

/** `POST /dlq/park` */
export function parkDeadLetters(deps: DlqDeps): ApiHandler {
  return async (context) => {
    refuseQuery(context.req.url);
    const body = parseBody(parkBodySchema, await readJsonBody(context.env.incoming, deps.body));
    const caller = context.get("caller");
    return askForAction(deps, caller, { action: "park", target: targetOf(body) }, body.dry_run);
  };
}
