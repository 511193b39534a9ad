import type { LimitLeft, PlacePeek } from "@forebay/queue-bullmq";
import { affinityOf, inferenceQueueName } from "@forebay/queue-contracts";
import { deadlineRefusal, rateLimited } from "../../admission/admission.ts";
import type { EtaMs } from "../../admission/forecasts.ts";
import { Problem } from "../../http/problem.ts";
import { problemCodes } from "../../http/problem-codes.ts";
import type { DryRun } from "./dry-run-schema.ts";
import { etaView } from "./eta-view.ts";
import type { JobDeps } from "./job-deps.ts";
import { waitingFor } from "./job-view.ts";
import { type DraftJob, peek } from "./place-job.ts";

/** What would happen to a job that is not put. Throws Problem for what could never be taken. */
export async function dryRun(deps: JobDeps, draft: DraftJob): Promise<DryRun> {
  const { forecasts, models, admission } = deps;
  const { job, caller, delayMs } = draft;
  await models.require(job.model);
  const affinity = affinityOf({ model: job.model, options: job.request.options });
  // The queue's name, and not the queue: one that does not exist yet is not made for this.
  const queueName = inferenceQueueName(affinity);
  const estimate = await forecasts.estimate(job);
  const place = await peek(deps, { queueName, job, caller }, estimate);
  const { ahead, tag, open, standing } = place;
  const told = delayMs === 0 && standing === "";
  const eta = !told ? undefined : await forecasts.startOf({ queueName, model: job.model, tag, ahead });
  const refusal = await findRefusal(deps, draft, estimate.costMs, place, eta);
  const runningMax = admission.runningMaxOf(caller);
  const left = (name: LimitLeft["name"]) => {
    const found = place.left.find((each) => each.name === name);
    return found ? { limit: found.limit, left: found.left } : null;
  };
  return {
    dry_run: true,
    accepted: refusal === undefined,
    refusal: refusal ? describeRefusal(refusal) : null,
    type: job.type,
    model: job.model,
    lane: job.lane,
    estimate: {
      prompt_tokens: estimate.promptTokens,
      output_tokens: estimate.outputTokens,
      gpu_ms: Math.round(estimate.costMs),
    },
    queue_position: delayMs > 0 || standing === "met" ? null : ahead,
    waiting_for: delayMs > 0 ? null : waitingFor(standing),
    ...etaView(eta),
    limits: {
      open_jobs: open,
      open_jobs_max: admission.openMaxOf(caller),
      running_jobs: runningMax === null ? null : place.running,
      running_jobs_max: runningMax,
      requests_per_min: left("requests"),
      tokens_per_min: left("tokens"),
      tokens_per_day: left("tokens-day"),
    },
  };
}

/** The first refusal it would meet, in the order in which a real one would. */
async function findRefusal(
  { admission }: JobDeps,
  { caller, job, startDeadlineMs }: DraftJob,
  costMs: number,
  place: PlacePeek,
  eta: EtaMs | undefined,
): Promise<Problem | undefined> {
  try {
    await admission.requireRoom({ model: job.model, costMs });
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  const late = startDeadlineMs === undefined ? undefined : deadlineRefusal(startDeadlineMs, eta);
  if (late) return late;
  if (place.open >= admission.openMaxOf(caller)) return admission.tooManyOpen(caller, place.open);
  return place.met && rateLimited(place.met.name, place.met.waitMs, place.left);
}

function describeRefusal({ code, message, extras }: Problem): DryRun["refusal"] {
  return {
    code,
    status: problemCodes[code].status,
    detail: message,
    retry_after_s: extras.retryAfterS ?? null,
  };
}
