import { findSchemaFault } from "@forebay/answer-format";
import {
  chatMessageSchema,
  chatRequestSchema,
  embedRequestSchema,
  generateRequestSchema,
  type InferenceJob,
  type ModelOptions,
  modelNameSchema,
  modelOptionsSchema,
} from "@forebay/queue-contracts";
import { z } from "zod";
import { formatPath } from "../../http/field-error.ts";
import { OllamaRefusal } from "./ollama-refusal.ts";

const knownOptions = new Set(Object.keys(modelOptionsSchema.shape));

/** As Go reads it: null is as good as absent. */
const withoutNulls = (value: unknown): unknown =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).filter(([, each]) => each !== null))
    : value;

/** Ollama drops options it does not know, so clients send what they please. */
const options = z.preprocess((value) => {
  const given = withoutNulls(value);
  if (typeof given !== "object" || given === null || Array.isArray(given)) return given;
  return Object.fromEntries(Object.entries(given).filter(([name]) => knownOptions.has(name)));
}, modelOptionsSchema.optional()) as z.ZodType<ModelOptions | undefined>;

const common = { model: modelNameSchema, stream: z.boolean().default(true), options: options.optional() };

// Fields nobody knows are dropped, as Ollama drops them; `context` (deprecated), `shift` and the like with them.
const schemas = {
  generate: z.object({ ...generateRequestSchema.shape, ...common, prompt: z.string().default("") }),
  chat: z.object({
    ...chatRequestSchema.shape,
    ...common,
    messages: z.array(z.preprocess(withoutNulls, z.object(chatMessageSchema.shape))).default([]),
  }),
  embed: z.object({ ...embedRequestSchema.shape, ...common, stream: z.literal(false).default(false) }),
  embeddings: z.object({ ...common, prompt: z.string().min(1), keep_alive: z.unknown().optional() }),
};

/** A body of Ollama's API. Throws OllamaRefusal with 400 and what is wrong where. */
export function parseOllamaBody<K extends keyof typeof schemas>(
  kind: K,
  body: unknown,
): z.output<(typeof schemas)[K]> {
  const parsed = schemas[kind].safeParse(withoutEmptyFormat(withoutNulls(body)));
  if (parsed.success) return checkFormat(parsed.data as z.output<(typeof schemas)[K]>);
  const [issue] = parsed.error.issues;
  const path = formatPath(issue?.path ?? []);
  if (path === "model") throw new OllamaRefusal(400, "model is required");
  throw new OllamaRefusal(400, `${path} ${issue?.message.replace(/^Invalid input: /, "") ?? "is wrong"}`);
}

/** Older clients send an empty format with every call; to Ollama that is none. */
const withoutEmptyFormat = (body: unknown): unknown =>
  typeof body === "object" && body !== null && "format" in body && body.format === ""
    ? { ...body, format: undefined }
    : body;

function checkFormat<T extends object>(body: T): T {
  const format = "format" in body ? body.format : undefined;
  const fault = format === undefined || format === "json" ? undefined : findSchemaFault(format);
  if (!fault) return body;
  throw new OllamaRefusal(400, `invalid format: ${fault.path || "it"} ${fault.message}`);
}

/** A prompt or messages that say nothing: Ollama loads the model, or unloads it with `keep_alive: 0`. */
export function isLoadRequest(
  type: InferenceJob["type"],
  body: { prompt?: string; messages?: unknown[] },
): boolean {
  return type === "generate" ? body.prompt === "" : body.messages?.length === 0;
}
