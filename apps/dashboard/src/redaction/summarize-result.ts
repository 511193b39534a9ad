import { inferenceResultSchema, modelNameSchema } from "@forebay/queue-contracts";
import { z } from "zod";

const doneReasonSchema = z.enum(["stop", "length", "load", "unload"]);
const backendSchema = z.string().regex(/^[\w.:[\]-]{1,100}$/);

/** What of a result everybody on the board may see: what it took, not what it says. */
export function summarizeResult(value: unknown): unknown {
  if (value === undefined || value === null) return null;
  const result = inferenceResultSchema.safeParse(value).data;
  if (!result) return { answer: "shown to admins only" };
  return {
    type: result.type,
    model: modelNameSchema.safeParse(result.model).data,
    backend: backendSchema.safeParse(result.backend).data,
    done_reason: "done_reason" in result ? doneReasonSchema.safeParse(result.done_reason).data : undefined,
    usage: result.usage,
    total_duration_ms: result.total_duration_ms,
    load_duration_ms: result.load_duration_ms,
    answer: "shown to admins only",
  };
}
