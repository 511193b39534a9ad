import type { JobRecord } from "@forebay/queue-bullmq";
import { isFinalState, type JobState } from "@forebay/queue-contracts";
import type { EtaMs } from "../../admission/forecasts.ts";
import type { Caller } from "../../auth/caller.ts";
import type { Endpoint } from "../../http/endpoint.ts";
import { matchesEtag } from "../../http/etag.ts";
import { readQuery } from "../../http/query.ts";
import { closedSignal } from "./closed-signal.ts";
import { findJob, maySeeResult } from "./find-job.ts";
import type { JobDeps } from "./job-deps.ts";
import { jobView } from "./job-view.ts";
import { parseWait } from "./parse-prefer.ts";
import { waitForJob } from "./wait-for-job.ts";

/** `GET /jobs/{id}` */
export function getJob(deps: JobDeps): Endpoint {
  return async ({ incoming, outgoing, url, id, caller }) => {
    const query = readQuery(url, (name) => name === "wait");
    const waitS = parseWait(query.get("wait"));
    if (waitS) await awaitChange(deps, caller, id, { ms: waitS * 1_000, signal: closedSignal(outgoing) });
    const { record, tenant } = await findJob(deps, caller, id);
    const withResult = maySeeResult(caller, tenant);
    const eta = record.state === "waiting" ? await deps.forecasts.startOfJob(record) : undefined;
    const etag = etagOf(record, withResult, eta);
    // Nobody but the key's holder may keep it, and only to ask again whether it is still so.
    const headers = { etag, "cache-control": "private, no-cache" };
    if (matchesEtag(incoming.headers["if-none-match"], etag)) {
      return { status: 304, headers, body: null };
    }
    return {
      status: 200,
      headers: { "content-type": "application/json", ...headers },
      body: viewText(record, withResult, eta),
    };
  };
}

/** A record that is met again has ended, and so its view is the same. */
const viewTexts = new WeakMap<JobRecord, string>();

function viewText(record: JobRecord, withResult: boolean, eta: EtaMs | undefined): string {
  const known = withResult ? viewTexts.get(record) : undefined;
  if (known !== undefined) return known;
  const text = JSON.stringify(jobView(record, withResult, eta));
  if (withResult && isFinalState(record.state)) viewTexts.set(record, text);
  return text;
}

/** Waits until the job's state is another one. A job that ended does not change any more. */
async function awaitChange(
  deps: JobDeps,
  caller: Caller,
  id: string,
  limits: { ms: number; signal: AbortSignal },
): Promise<void> {
  const before = await stateFor(deps, caller, id);
  if (!isFinalState(before)) await waitForJob(deps, id, (state) => state !== before, limits);
}

async function stateFor(deps: JobDeps, caller: Caller, id: string): Promise<JobState> {
  const { record } = await findJob(deps, caller, id);
  return record.state;
}

/** Weak: made of all that ever changes in a view, not of its bytes, so that a 304 costs no serialising. */
function etagOf(record: JobRecord, withResult: boolean, eta: EtaMs | undefined): string {
  const { state, position, tokens, starts, finishedAt, attemptsMade, queueName } = record;
  const last = starts.at(-1);
  const parts = [
    state,
    position ?? "",
    eta ? Math.round(eta.waitMs / 1_000) : "",
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
