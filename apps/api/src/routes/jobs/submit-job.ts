import type { ApiHandler } from "../../http/api-env.ts";
import { jsonResponse } from "../../http/json-response.ts";
import { refuseQuery } from "../../http/query.ts";
import { readJsonBody } from "../../http/read-json-body.ts";
import { fingerprintBody } from "./fingerprint-body.ts";
import { parseIdempotencyKey } from "./idempotency-key.ts";
import type { JobDeps } from "./job-deps.ts";
import type { JobView } from "./job-view-schema.ts";
import { parseSubmission } from "./parse-submission.ts";
import { acceptJob, placeJob } from "./place-job.ts";
import { resolveJob } from "./resolve-job.ts";
import { submitOnce } from "./submit-once.ts";

/** `POST /jobs` */
export function submitJob(deps: JobDeps): ApiHandler {
  return async (context) => {
    const { incoming } = context.env;
    refuseQuery(context.req.url);
    const body = await readJsonBody(incoming, deps.body);
    const submission = parseSubmission(body);
    const header = incoming.headers["idempotency-key"]?.toString();
    const key = parseIdempotencyKey(header, submission.idempotency_key);
    const caller = context.get("caller");
    const job = resolveJob(submission, caller, deps.jobs);
    const draft = { caller, job, attempts: submission.attempts ?? deps.policy.attempts };

    if (key !== undefined) {
      const claim = { tenant: caller.tenant, key, fingerprint: fingerprintBody(body as object) };
      const { view, replayed } = await submitOnce(deps, draft, claim);
      return accepted(view, replayed ? { "idempotency-replayed": "true" } : {});
    }
    const view = await acceptJob(deps, await placeJob(deps, draft));
    deps.events.jobAccepted(view.job_id, job, caller);
    return accepted(view);
  };
}

function accepted(view: JobView, headers: Readonly<Record<string, string>> = {}): Response {
  return jsonResponse(202, view, { location: view.links.self, ...headers });
}
