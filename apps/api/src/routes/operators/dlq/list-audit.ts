import { readAudit } from "@forebay/queue-bullmq";
import type { ApiHandler } from "../../../http/api-env.ts";
import { jsonResponse } from "../../../http/json-response.ts";
import type { DlqDeps } from "./dlq-deps.ts";
import { parsePageQuery } from "./dlq-query.ts";
import { formatAuditCursor, parseAuditCursor } from "./letter-cursor.ts";

/** `GET /dlq/audit` */
export function listAudit({ space }: DlqDeps): ApiHandler {
  return async (context) => {
    const { limit, cursor } = parsePageQuery(context.req.url);
    const after = cursor === undefined ? undefined : parseAuditCursor(cursor);
    const { entries, next } = await readAudit(space, { limit, after });
    return jsonResponse(200, { entries, next_cursor: next === undefined ? null : formatAuditCursor(next) });
  };
}
