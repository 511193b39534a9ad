import type { InferenceJob } from "@forebay/queue-contracts";
import type { Caller } from "../auth/caller.ts";
import type { ModelNames } from "./model-names.ts";
import { resolveModel } from "./resolve-model.ts";

/** A job as its caller named it, with the model that name stands for and those to fall back to. Throws Problem. */
export function nameServed(names: ModelNames, caller: Caller, job: InferenceJob): InferenceJob {
  const { model, fallbacks } = resolveModel(names, caller, job.model);
  return { ...job, model, ...(fallbacks.length > 0 && { fallbacks: [...fallbacks] }) };
}
