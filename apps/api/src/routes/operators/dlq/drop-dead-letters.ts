import type { ApiHandler } from "../../../http/api-env.ts";
import { refuseQuery } from "../../../http/query.ts";
import { parseBody } from "../../../http/parse-body.ts";
import { readJsonBody } from "../../../http/read-json-body.ts";
import { dropBodySchema } from "./action-body.ts";
import { askForAction, targetOf } from "./ask-for-action.ts";
import type { DlqDeps } from "./dlq-deps.ts";

/** `DELETE /dlq` */
export function dropDeadLetters(deps: DlqDeps): ApiHandler {
  return async (context) => {
    refuseQuery(context.req.url);
    const body = parseBody(dropBodySchema, await readJsonBody(context.env.incoming, deps.body));
    const caller = context.get("caller");
    if (body.erase && body.ids) {
      const ids = [...new Set(body.ids)];
      return askForAction(deps, caller, { action: "erase", target: { ids } }, body.dry_run);
    }
    return askForAction(deps, caller, { action: "drop", target: targetOf(body) }, body.dry_run);
  };
}
