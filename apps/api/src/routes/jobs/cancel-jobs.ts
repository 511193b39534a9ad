import { cancelJobs as cancelOnQueues } from "@forebay/queue-bullmq";
import type { ApiHandler } from "../../http/api-env.ts";
import { jsonResponse } from "../../http/json-response.ts";
import { parseBody } from "../../http/parse-body.ts";
import { refuseQuery } from "../../http/query.ts";
import { readJsonBody } from "../../http/read-json-body.ts";
import { cancelBodySchema, isMeant, isModel, limitFilter } from "./cancel-filter.ts";
import type { JobDeps } from "./job-deps.ts";

/** `POST /jobs/cancel` */
export function cancelJobs(deps: JobDeps): ApiHandler {
  return async (context) => {
    refuseQuery(context.req.url);
    const caller = context.get("caller");
    const body = parseBody(cancelBodySchema, await readJsonBody(context.env.incoming, deps.body));
    const filter = limitFilter(body, caller);
    const { tenant, model } = filter;
    const counts = await cancelOnQueues(deps.space, deps.directory, {
      tenant,
      ...(model !== undefined && { onModel: isModel(model) }),
      matches: (job) => isMeant(filter, job),
      limit: body.limit,
      dryRun: body.dry_run,
    });
    if (!body.dry_run) deps.events.jobsCancelled(filter, counts, caller);
    return jsonResponse(200, counts);
  };
}
