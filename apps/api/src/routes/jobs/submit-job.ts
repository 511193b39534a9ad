import { readRedisTimeMs } from "@forebay/queue-bullmq";
import { isFinalState } from "@forebay/queue-contracts";
import { type Call, type Endpoint, jsonReply, type Reply } from "../../http/endpoint.ts";
import { refuseQuery } from "../../http/query.ts";
import { readJsonBody } from "../../http/read-json-body.ts";
import { fingerprintBody } from "./fingerprint-body.ts";
import { parseIdempotencyKey } from "./idempotency-key.ts";
import type { JobDeps } from "./job-deps.ts";
import type { JobView } from "./job-view-schema.ts";
import { parseSubmission } from "./parse-submission.ts";
import { acceptJob, placeJob } from "./place-job.ts";
import { awaitResult } from "./await-result.ts";
import { closedSignal } from "./closed-signal.ts";
import { parseOnDisconnect, parsePrefer } from "./parse-prefer.ts";
import { resolveJob } from "./resolve-job.ts";
import { hasTiming, resolveTiming } from "./resolve-timing.ts";
import { submitOnce } from "./submit-once.ts";

/** `POST /jobs` */
export function submitJob(deps: JobDeps): Endpoint {
  return async (call) => {
    const { incoming, outgoing } = call;
    refuseQuery(call.url);
    const { waitS, applied } = parsePrefer(incoming.headers.prefer?.toString());
    const onDisconnect = parseOnDisconnect(incoming.headers["forebay-on-disconnect"]?.toString());
    const submitted = await submit(deps, call);
    const headers = {
      ...(applied !== undefined && { "preference-applied": applied }),
      ...(submitted.replayed && { "idempotency-replayed": "true" }),
    };
    if (waitS === undefined || waitS === 0) return accepted(submitted.view, headers);
    const closed = closedSignal(outgoing);
    const view = await awaitResult(deps, submitted.view, { waitS, onDisconnect, closed });
    return isFinalState(view.state) ? jsonReply(200, view, headers) : accepted(view, headers);
  };
}

async function submit(
  deps: JobDeps,
  { incoming, caller }: Call,
): Promise<{ view: JobView; replayed: boolean }> {
  const body = await readJsonBody(incoming, deps.body);
  const submission = parseSubmission(body);
  const header = incoming.headers["idempotency-key"]?.toString();
  const key = parseIdempotencyKey(header, submission.idempotency_key);
  const nowMs = hasTiming(submission) ? await readRedisTimeMs(deps.space) : 0;
  const { delayMs, startBy } = resolveTiming(submission, nowMs);
  const job = resolveJob(submission, caller, startBy, deps.jobs);
  const draft = { caller, job, delayMs, attempts: submission.attempts ?? deps.policy.attempts };

  if (key !== undefined) {
    const request = { key, fingerprint: fingerprintBody(body as object) };
    return submitOnce(deps, draft, request);
  }
  const placed = await placeJob(deps, draft);
  const view = await acceptJob(deps, placed);
  deps.events.jobAccepted(placed.id, placed.job, caller);
  return { view, replayed: false };
}

function accepted(view: JobView, headers: Readonly<Record<string, string>>): Reply {
  return jsonReply(202, view, { location: view.links.self, ...headers });
}
