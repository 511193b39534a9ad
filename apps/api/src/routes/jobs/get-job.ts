import type { ServerResponse } from "node:http";
import type { JobRecord } from "@forebay/queue-bullmq";
import { isFinalState, type JobState } from "@forebay/queue-contracts";
import { type Endpoint, jsonReply } from "../../http/endpoint.ts";
import { matchesEtag } from "../../http/etag.ts";
import { readQuery } from "../../http/query.ts";
import { closedSignal } from "./closed-signal.ts";
import { findJob, jobNotFound, maySeeResult } from "./find-job.ts";
import type { JobDeps } from "./job-deps.ts";
import { jobView } from "./job-view.ts";
import { parseWait } from "./parse-prefer.ts";
import { waitForJob } from "./wait-for-job.ts";

/** `GET /jobs/{id}` */
export function getJob(deps: JobDeps): Endpoint {
  return async ({ incoming, outgoing, url, id, caller }) => {
    const query = readQuery(url, (name) => name === "wait");
    const waitS = parseWait(query.get("wait"));
    const found = await findJob(deps, caller, id);
    const { tenant } = found;
    const record = waitS ? await afterChange(deps, found.record, waitS, outgoing) : found.record;
    const withResult = maySeeResult(caller, tenant);
    const etag = etagOf(record, withResult);
    // Nobody but the key's holder may keep it, and only to ask again whether it is still so.
    const headers = { etag, "cache-control": "private, no-cache" };
    if (matchesEtag(incoming.headers["if-none-match"], etag)) {
      return { status: 304, headers, body: null };
    }
    return jsonReply(200, jobView(record, withResult), headers);
  };
}

/** The job once its state is another one, or after `waitS` seconds. A job that ended does not change any more. */
async function afterChange(
  deps: JobDeps,
  before: JobRecord,
  waitS: number,
  response: ServerResponse,
): Promise<JobRecord> {
  if (isFinalState(before.state)) return before;
  const changed = (state: JobState): boolean => state !== before.state;
  const limits = { ms: waitS * 1_000, signal: closedSignal(response) };
  const after = await waitForJob(deps, before.id, changed, limits);
  if (!after) throw jobNotFound();
  return after;
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
