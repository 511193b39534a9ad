import { groupDeadLetters } from "@forebay/queue-bullmq";
import type { ApiHandler } from "../../../http/api-env.ts";
import { jsonResponse } from "../../../http/json-response.ts";
import { summaryView } from "./dead-letter-view.ts";
import type { DlqDeps } from "./dlq-deps.ts";
import { parseDlqQuery } from "./dlq-query.ts";

/** `GET /dlq/groups` */
export function listGroups({ space }: DlqDeps): ApiHandler {
  return async (context) => {
    const { filter } = parseDlqQuery(context.req.url, false);
    const { groups, examined, complete } = await groupDeadLetters(space, filter);
    const views = groups.map(({ sample, ...group }) => ({ ...group, sample: summaryView(sample) }));
    return jsonResponse(200, { groups: views, examined, complete });
  };
}
