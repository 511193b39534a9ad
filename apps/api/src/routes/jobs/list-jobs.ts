import { listJobs as readPage } from "@forebay/queue-bullmq";
import type { ApiHandler } from "../../http/api-env.ts";
import { jsonResponse } from "../../http/json-response.ts";
import type { JobDeps } from "./job-deps.ts";
import { jobSummary } from "./job-view.ts";
import { formatCursor, parseCursor } from "./list-cursor.ts";
import { halfOf, listName, matchesFilter, parseListQuery } from "./list-query.ts";

/** `GET /jobs` */
export function listJobs({ space, directory, forecasts }: JobDeps): ApiHandler {
  return async (context) => {
    const { tenant } = context.get("caller");
    const { filter, limit, cursor } = parseListQuery(context.req.url);
    const list = listName(tenant, filter);
    const { jobs, next } = await readPage(space, directory, {
      tenant,
      limit,
      from: cursor === undefined ? undefined : parseCursor(cursor, list),
      createdAfterMs: filter.created_after === undefined ? undefined : Date.parse(filter.created_after),
      ...halfOf(filter),
      matches: (record) => matchesFilter(filter, record),
    });
    const next_cursor = next === undefined ? null : formatCursor(next, list);
    const views = jobs.map(async (job) => jobSummary(job, await forecasts.startOfJob(job)));
    return jsonResponse(
      200,
      { jobs: await Promise.all(views), next_cursor },
      { "cache-control": "private, no-store" },
    );
  };
}
