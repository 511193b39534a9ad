import {
  canonicalModelName,
  contextBucket,
  type InferenceJob,
  type Lane,
  type ModelOptions,
} from "@forebay/queue-contracts";
import type { Caller } from "../../auth/caller.ts";
import { Problem } from "../../http/problem.ts";
import type { SubmitBody } from "./submit-body.ts";

export type JobDefaults = {
  readonly defaultModel?: string | undefined;
  readonly contextBuckets: readonly number[];
};

/**
 * The job a body stands for, with everything filled in that the caller left open, for a caller who may have
 * it. Throws Problem.
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
  const model = chooseModel(named, caller, defaults.defaultModel);
  const request = { ...rest, ...normalisedOptions(rest.options, defaults.contextBuckets) };
  return {
    type,
    v: 1,
    tenant: caller.tenant,
    ...(user !== undefined && { user }),
    lane: chooseLane(lane, caller),
    model,
    ...(metadata && { metadata }),
    ...(startBy !== undefined && { start_by: startBy }),
    ...(timeout_s !== undefined && { timeout_s }),
    stream,
    request,
    // The three members of the union differ only in `request`, whose type `type` has chosen already.
  } as InferenceJob;
}

/** Checks that the caller may use model and lane, and returns the lane; its own one unless asked. Throws Problem. */
export function checkCaller(caller: Caller, model: string, lane?: Lane): Lane {
  chooseModel(model, caller, undefined);
  return chooseLane(lane, caller);
}

function chooseModel(named: string | undefined, caller: Caller, fallback: string | undefined): string {
  const model = named ?? fallback;
  if (model === undefined) {
    const message = "is required: this server has no default model";
    throw new Problem("invalid_body", `model ${message}.`, { errors: [{ path: "model", message }] });
  }
  const allowed = caller.models;
  if (allowed && !allowed.some((each) => canonicalModelName(each) === canonicalModelName(model))) {
    throw new Problem(
      "forbidden",
      `This key may not use the model ${model}; it may use ${allowed.join(", ")}.`,
      {
        errors: [{ path: "model", message: "is not allowed for this key" }],
      },
    );
  }
  return model;
}

function chooseLane(named: Lane | undefined, caller: Caller): Lane {
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
