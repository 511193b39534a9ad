import { z } from "zod";

export const faultKinds = [
  "refuse",
  "status",
  "hang",
  "reset",
  "no_done",
  "in_band_error",
  "garbage",
  "slow",
  "empty",
  "answer",
  "terminated",
  "runner_crash",
  "crash",
  "load_error",
  "load_stall",
] as const;

const statusShorthand = /^[45]\d\d$/;

const fields = z.strictObject({
  kind: z.enum(faultKinds, {
    error: () => "unknown kind of fault",
  }),
  /** Only requests for this model. */
  model: z.string().min(1).optional(),
  /** Only requests whose prompt or messages contain this text. */
  match_prompt: z.string().min(1).optional(),
  /** Only requests whose path contains this text; without it, requests that make the model work. */
  match_path: z.string().min(1).optional(),
  /** Strikes from the nth matching request on; then `times` is 1 unless given. */
  nth: z.int().min(1).optional(),
  /** Strikes so often, then rests. */
  times: z.int().min(1).optional(),
  /** Of each matching request, drawn from `seed`. */
  probability: z.number().min(0).max(1).optional(),
  seed: z.int().optional(),
  /** Tokens that still arrive before the fault, or all of a shorter answer. */
  after_tokens: z.int().min(0).optional(),
  status: z.int().min(400).max(599).optional(),
  /** The error's text, the garbage, or the answer. */
  message: z.string().optional(),
  tokens_per_s: z.number().positive().optional(),
  /** After a crash: how long nothing listens. */
  down_ms: z.int().min(0).optional(),
  /** A crash ends the whole process, where it has one of its own. */
  exit: z.boolean().optional(),
});

/** `{ kind: "503" }` is `{ kind: "status", status: 503 }`. */
export const faultSchema = z.preprocess((input) => {
  if (typeof input !== "object" || input === null || !("kind" in input)) return input;
  const kind = String(input.kind);
  return statusShorthand.test(kind) ? { ...input, kind: "status", status: Number(kind) } : input;
}, fields);

export type Fault = z.output<typeof fields>;
export type FaultKind = Fault["kind"];
export type FaultInput = Omit<z.input<typeof fields>, "kind"> & { kind: FaultKind | `${4 | 5}${number}` };

export const faultFields = Object.keys(fields.shape);
