import { readRedisTimeMs } from "@forebay/queue-bullmq";
import { isFinalState } from "@forebay/queue-contracts";
import { type Call, type Endpoint, jsonReply, type Reply } from "../../http/endpoint.ts";
import { invalidQuery, readQuery } from "../../http/query.ts";
import { readJsonBody } from "../../http/read-json-body.ts";
import { fingerprintBody } from "./fingerprint-body.ts";
import { parseIdempotencyKey } from "./idempotency-key.ts";
import type { JobDeps } from "./job-deps.ts";
import type { JobView } from "./job-view-schema.ts";
import { parseSubmission } from "./parse-submission.ts";
import { dryRun } from "./dry-run.ts";
import { type Accepted, acceptJob, type DraftJob, placeJob } from "./place-job.ts";
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
    const query = readQuery(call.url, (name) => name === "dry_run");
    if (parseDryRun(query.get("dry_run"))) {
      return jsonReply(200, await dryRun(deps, (await prepare(deps, call)).draft));
    }
    const { waitS, applied } = parsePrefer(incoming.headers.prefer?.toString());
    const onDisconnect = parseOnDisconnect(incoming.headers["forebay-on-disconnect"]?.toString());
    const submitted = await submit(deps, call);
    const headers = {
      ...submitted.headers,
      ...(applied !== undefined && { "preference-applied": applied }),
      ...(submitted.replayed && { "idempotency-replayed": "true" }),
    };
    if (waitS === undefined || waitS === 0) return accepted(submitted.view, headers);
    const closed = closedSignal(outgoing);
    const view = await awaitResult(deps, submitted.view, { waitS, onDisconnect, closed });
    return isFinalState(view.state) ? jsonReply(200, view, headers) : accepted(view, headers);
  };
}

function parseDryRun(text: string | undefined): boolean {
  if (text === undefined || text === "false") return false;
  if (text === "true") return true;
  throw invalidQuery("dry_run", "must be true or false");
}

/** The job a request stands for. Throws Problem. */
async function prepare(deps: JobDeps, { incoming, caller }: Call): Promise<Prepared> {
  const body = await readJsonBody(incoming, deps.body);
  const submission = parseSubmission(body);
  const header = incoming.headers["idempotency-key"]?.toString();
  const key = parseIdempotencyKey(header, submission.idempotency_key);
  const nowMs = hasTiming(submission) ? await readRedisTimeMs(deps.space) : 0;
  const { delayMs, startBy } = resolveTiming(submission, nowMs);
  const job = resolveJob(submission, caller, startBy, deps.jobs);
  const deadlineS = submission.start_deadline_s;
  const startDeadlineMs = deadlineS === undefined ? undefined : deadlineS * 1_000;
  const attempts = submission.attempts ?? deps.policy.attempts;
  return { body: body as object, key, draft: { caller, job, delayMs, startDeadlineMs, attempts } };
}

type Prepared = { readonly body: object; readonly key: string | undefined; readonly draft: DraftJob };

async function submit(deps: JobDeps, call: Call): Promise<Accepted & { replayed: boolean }> {
  const { body, key, draft } = await prepare(deps, call);
  if (key !== undefined) {
    const request = { key, fingerprint: fingerprintBody(body) };
    return submitOnce(deps, draft, request);
  }
  const placed = await placeJob(deps, draft);
  const accepted = await acceptJob(deps, placed);
  deps.events.jobAccepted(placed.id, placed.job, draft.caller);
  return { ...accepted, replayed: false };
}

function accepted(view: JobView, headers: Readonly<Record<string, string>>): Reply {
  return jsonReply(202, view, { location: view.links.self, ...headers });
}
