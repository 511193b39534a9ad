import { z } from "zod";
import { laneSchema } from "./lane.ts";
import { chatRequestSchema, embedRequestSchema, generateRequestSchema } from "./ollama-request.ts";
import { responseNoteSchema } from "./response-note.ts";
import { nameSchema, textSchema } from "./text.ts";

/** Ollama's model name: `name[:tag]`, optionally `host/namespace/`. */
export const modelNameSchema = z.string().regex(/^[A-Za-z0-9][\w.:/@-]{0,199}$/, {
  error: "must be a model name such as llama3.2:3b",
});

export const metadataPairsMax = 16;

/** At most 16 pairs of text that come back with the job and can be searched for. */
export const metadataSchema = z
  .record(textSchema.min(1).max(64), textSchema.max(512))
  .refine((pairs) => Object.keys(pairs).length <= metadataPairsMax, {
    error: `must hold at most ${metadataPairsMax} pairs`,
  });

const envelope = {
  v: z
    .literal(1)
    .describe("Version of this shape. A worker fails a version it does not know with `invalid_payload`."),
  tenant: nameSchema.describe("Who pays: the owner of the API key. Unit of fairness, limits and visibility."),
  user: textSchema
    .min(1)
    .max(256)
    .optional()
    .describe("A person or process within the tenant; sub-divides the tenant's own share and nobody else's."),
  lane: laneSchema.default("standard"),
  model: modelNameSchema.describe(
    "Model to run, `name[:tag]`; without a tag `:latest` is meant. Must be the model of the queue the job is on.",
  ),
  fallbacks: z
    .array(modelNameSchema)
    .min(1)
    .max(8)
    .optional()
    .describe(
      "Models to try after this one, in order, when it fails for a reason of its own: the job moves to the queue of the first, and the others stay.",
    ),
  metadata: metadataSchema
    .optional()
    .describe("At most 16 pairs of text that come back with the job and can be searched for."),
  start_by: z
    .int()
    .min(0)
    .optional()
    .describe("Milliseconds since 1970 by Redis's clock; a job not begun by then ends as `expired`."),
  timeout_s: z
    .number()
    .positive()
    .optional()
    .describe(
      "Seconds from the job's first start to its end, retries included; then it ends as `timed_out`.",
    ),
  stream: z
    .boolean()
    .default(true)
    .describe("Whether a log of the tokens is kept to be followed; false for batch work."),
};

export const generateJobSchema = z.strictObject({
  type: z.literal("generate"),
  ...envelope,
  request: generateRequestSchema.describe("Body of Ollama's `POST /api/generate` without model and stream."),
});
export const chatJobSchema = z.strictObject({
  type: z.literal("chat"),
  ...envelope,
  request: chatRequestSchema.describe("Body of Ollama's `POST /api/chat` without model and stream."),
  response: responseNoteSchema
    .optional()
    .describe("Set on jobs of OpenAI's responses API, which are shown under `/v1/responses` again."),
});
export const embedJobSchema = z.strictObject({
  type: z.literal("embed"),
  ...envelope,
  request: embedRequestSchema.describe("Body of Ollama's `POST /api/embed` without model."),
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
