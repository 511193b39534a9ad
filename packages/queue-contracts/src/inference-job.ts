import { z } from "zod";
import { laneSchema } from "./lane.ts";
import { chatRequestSchema, embedRequestSchema, generateRequestSchema } from "./ollama-request.ts";
import { nameSchema, textSchema } from "./text.ts";

/** Ollama's model name: `name[:tag]`, optionally `host/namespace/`. */
export const modelNameSchema = z.string().regex(/^[A-Za-z0-9][\w.:/@-]{0,199}$/, {
  error: "must be a model name such as llama3.2:3b",
});

/** At most 16 pairs of text that come back with the job and can be searched for. */
export const metadataSchema = z
  .record(textSchema.min(1).max(64), textSchema.max(512))
  .refine((pairs) => Object.keys(pairs).length <= 16, { error: "must hold at most 16 pairs" });

const envelope = {
  /** Version of this shape. A worker discards a version it does not know, with code `invalid_payload`. */
  v: z.literal(1),
  /** Who pays: the owner of the API key. Unit of fairness, limits and visibility. */
  tenant: nameSchema,
  /** A person or process within the tenant; sub-divides the tenant's own share and nobody else's. */
  user: textSchema.min(1).max(256).optional(),
  lane: laneSchema.default("standard"),
  model: modelNameSchema,
  metadata: metadataSchema.optional(),
  /** false: no token log is kept for this job (batch work). */
  stream: z.boolean().default(true),
};

export const generateJobSchema = z.strictObject({
  type: z.literal("generate"),
  ...envelope,
  request: generateRequestSchema,
});
export const chatJobSchema = z.strictObject({
  type: z.literal("chat"),
  ...envelope,
  request: chatRequestSchema,
});
export const embedJobSchema = z.strictObject({
  type: z.literal("embed"),
  ...envelope,
  request: embedRequestSchema,
});

/**
 * The payload (`job.data`) on every inference queue: one call of Ollama and whom it is for. Parsed when it
 * is written and again when it is read. Unknown fields are refused, so upgrade workers before producers.
 */
export const inferenceJobSchema = z.discriminatedUnion("type", [
  generateJobSchema,
  chatJobSchema,
  embedJobSchema,
]);
export type InferenceJob = z.infer<typeof inferenceJobSchema>;
export type InferenceJobType = InferenceJob["type"];
