import type { JobRecord } from "@forebay/queue-bullmq";
import type { ApiHandler } from "../../http/api-env.ts";
import { matchesEtag } from "../../http/etag.ts";
import { jsonResponse } from "../../http/json-response.ts";
import { refuseQuery } from "../../http/query.ts";
import { findJob, maySeeResult } from "./find-job.ts";
import type { JobDeps } from "./job-deps.ts";
import { jobView } from "./job-view.ts";

/** `GET /jobs/{id}` */
export function getJob(deps: JobDeps): ApiHandler {
  return async (context) => {
    refuseQuery(context.req.url);
    const caller = context.get("caller");
    const { record, tenant } = await findJob(deps, caller, context.req.param("id") ?? "");
    const withResult = maySeeResult(caller, tenant);
    const etag = etagOf(record, withResult);
    // Nobody but the key's holder may keep it, and only to ask again whether it is still so.
    const headers = { etag, "cache-control": "private, no-cache" };
    if (matchesEtag(context.env.incoming.headers["if-none-match"], etag)) {
      return new Response(null, { status: 304, headers });
    }
    return jsonResponse(200, jobView(record, withResult), headers);
  };
}

/** Weak: made of all that ever changes in a view, not of its bytes, so that a 304 costs no serialising. */
function etagOf(record: JobRecord, withResult: boolean): string {
  const { state, position, tokens, starts, finishedAt, attemptsMade, queueName } = record;
  const last = starts.at(-1);
  const parts = [
    state,
    position ?? "",
    tokens,
    attemptsMade,
    starts.length,
    last?.backend ? "b" : "",
    last?.outcome ?? "",
    finishedAt?.getTime() ?? "",
    // A redriven job may have moved to another model's queue.
    queueName.slice(-9, -1),
    withResult ? "" : "r",
  ];
  return `W/"${parts.join(".")}"`;
}
