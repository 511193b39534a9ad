import { type InferenceJob, inferenceJobSchema } from "@forebay/queue-contracts";
import type { RedrivePatch } from "./command.ts";

/** A payload with a patch on it, parsed; undefined when the result could not be read by a worker. */
export function patchPayload(payload: unknown, patch: RedrivePatch | undefined): InferenceJob | undefined {
  const parsed = inferenceJobSchema.safeParse(payload).data;
  if (!parsed || !patch) return parsed;
  const { model = parsed.model, options } = patch;
  const request = options
    ? { ...parsed.request, options: { ...parsed.request.options, ...options } }
    : parsed.request;
  return inferenceJobSchema.safeParse({ ...parsed, model, request }).data;
}
