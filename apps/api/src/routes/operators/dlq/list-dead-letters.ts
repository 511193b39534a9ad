import { listDeadLetters as readPage } from "@forebay/queue-bullmq";
import type { ApiHandler } from "../../../http/api-env.ts";
import { jsonResponse } from "../../../http/json-response.ts";
import { summaryView } from "./dead-letter-view.ts";
import type { DlqDeps } from "./dlq-deps.ts";
import { parseDlqQuery } from "./dlq-query.ts";
import { formatLetterCursor, parseLetterCursor } from "./letter-cursor.ts";

/** `GET /dlq` */
export function listDeadLetters({ space }: DlqDeps): ApiHandler {
  return async (context) => {
    const { filter, limit, cursor } = parseDlqQuery(context.req.url, true);
    const list = JSON.stringify(Object.entries(filter).toSorted(([a], [b]) => a.localeCompare(b)));
    const after = cursor === undefined ? undefined : parseLetterCursor(cursor, list);
    const { letters, next } = await readPage(space, { filter, limit, after });
    const next_cursor = next === undefined ? null : formatLetterCursor(next, list);
    return jsonResponse(200, { dead_letters: letters.map(summaryView), next_cursor });
  };
}
