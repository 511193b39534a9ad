import { contextBucket, type InferenceJob, type Lane, type ModelOptions } from "@forebay/queue-contracts";
import type { Caller } from "../../auth/caller.ts";
import type { Readiness } from "../../models/choose-ready-model.ts";
import type { ModelNames } from "../../models/model-names.ts";
import { Problem } from "../../http/problem.ts";
import type { SubmitBody } from "./submit-body.ts";

export type JobDefaults = {
  readonly names: ModelNames;
  readonly readiness: Readiness;
  readonly defaultModel?: string | undefined;
  readonly contextBuckets: readonly number[];
};

/**
 * The job a body stands for, with everything filled in that the caller left open; its model is still named as the
 * caller names it. Throws Problem.
 *
 * @param startBy when it must have begun, in milliseconds of Redis's clock
 */
export function resolveJob(
  body: SubmitBody,
  caller: Caller,
  startBy: number | undefined,
  defaults: JobDefaults,
): InferenceJob {
  const {
    type,
    model: named,
    lane,
    attempts: _,
    idempotency_key: __,
    metadata,
    user,
    stream,
    run_at: ___,
    delay_ms: ____,
    start_deadline_s: _____,
    timeout_s,
    ...rest
  } = body;
  const model = nameModel(named, defaults.defaultModel);
  const request = { ...rest, ...normalisedOptions(rest.options, defaults.contextBuckets) };
  return {
    type,
    v: 1,
    tenant: caller.tenant,
    ...(user !== undefined && { user }),
    lane: chooseLane(caller, lane),
    model,
    ...(metadata && { metadata }),
    ...(startBy !== undefined && { start_by: startBy }),
    ...(timeout_s !== undefined && { timeout_s }),
    stream,
    request,
    // The three members of the union differ only in `request`, whose type `type` has chosen already.
  } as InferenceJob;
}

function nameModel(named: string | undefined, fallback: string | undefined): string {
  const model = named ?? fallback;
  if (model !== undefined) return model;
  const message = "is required: this server has no default model";
  throw new Problem("invalid_body", `model ${message}.`, { errors: [{ path: "model", message }] });
}

/** The lane asked for if the caller may use it; its own one unless asked. Throws Problem. */
export function chooseLane(caller: Caller, named: Lane | undefined): Lane {
  const lane = named ?? caller.defaultLane;
  if (!caller.lanes || caller.lanes.includes(lane)) return lane;
  throw new Problem(
    "forbidden",
    `This key may not use the lane ${lane}; it may use ${caller.lanes.join(", ")}.`,
    {
      errors: [{ path: "lane", message: "is not allowed for this key" }],
    },
  );
}

/** The options with their context rounded up to a configured size; nothing when they leave it open. */
export function normalisedOptions(
  options: ModelOptions | undefined,
  buckets: readonly number[],
): { options: ModelOptions } | undefined {
  if (options?.num_ctx === undefined) return undefined;
  return { options: { ...options, num_ctx: contextBucket(options.num_ctx, buckets) } };
}
