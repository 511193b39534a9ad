import {
  chatRequestSchema,
  embedRequestSchema,
  generateRequestSchema,
  modelNameSchema,
} from "@forebay/queue-contracts";
import { z } from "zod";
import { callHeaders } from "../../calls/call-headers.ts";
import type { Operation } from "../../openapi/operation.ts";

const refusals = {
  schema: z.object({ error: z.string() }).meta({ id: "OllamaError" }),
  statuses: {
    400: "The body is wrong, or the model cannot do this.",
    401: "A valid API key is needed.",
    403: "The key may not do that.",
    404: "The model is not known here.",
    413: "The body is too large.",
    422: "The Idempotency-Key was used for another call.",
    500: "The job failed; the text begins with how.",
    503: "Too much is waiting, in Ollama's words, or the queue or every backend is away. `Retry-After` says when to come back.",
  },
};
const common = { model: modelNameSchema };
const streamed = { ...common, stream: z.boolean().default(true) };

const count = z.number().optional();
const counts = {
  total_duration: count.describe("Nanoseconds, what it waited on the queue included."),
  load_duration: count.describe("Likewise."),
  prompt_eval_count: count,
};
const doneFields = {
  model: z.string(),
  created_at: z.iso.datetime(),
  done: z.boolean(),
  done_reason: z.string().optional(),
  ...counts,
  eval_count: count,
};
const inWords =
  "The call is a job on the queue. While it waits a stream has an empty line every 15 seconds. Fields and options that Ollama does not know are ignored; `num_ctx` is rounded up to one of `API_CONTEXT_BUCKETS`. Log probabilities come with a stream's last line.";
const accepted = { description: "With `Prefer: respond-async`: the job." };
const lines = "The answer; with `stream` (the default) its lines as `application/x-ndjson`.";
const models = z.object({ models: z.array(z.looseObject({ name: z.string(), model: z.string() })) });

function inference(
  operation: Pick<Operation, "path" | "id" | "summary" | "description" | "body" | "curl"> & {
    schema: z.ZodType;
    description: string;
    said: string;
  },
): Operation {
  const { schema, said, ...rest } = operation;
  const answers = { 200: { description: said, schema }, 202: accepted };
  return { method: "post", tag: "ollama", parameters: callHeaders, answers, problems: [], refusals, ...rest };
}

function list(path: string, id: string, summary: string, schema: z.ZodType): Operation {
  const described = { schema: refusals.schema, statuses: { 401: refusals.statuses[401] } };
  const answers = { 200: { description: "As Ollama says it.", schema } };
  return { method: "get", path, id, tag: "ollama", summary, answers, problems: [], refusals: described };
}

export const ollamaOperations: readonly Operation[] = [
  inference({
    path: "/api/generate",
    id: "ollamaGenerate",
    summary: "Complete a prompt, as Ollama does",
    description: `${inWords} An empty prompt loads nothing: which models are loaded is decided by what waits for them.`,
    body: {
      schema: z.object({ ...generateRequestSchema.shape, ...streamed }),
      examples: { prompt: { model: "llama3.2:3b", prompt: "Why is the sky blue?", stream: false } },
    },
    said: lines,
    schema: z.looseObject({ ...doneFields, response: z.string() }),
    curl: `curl -s http://127.0.0.1:8080/api/generate -d '{"model":"llama3.2:3b","prompt":"Why is the sky blue?","stream":false}'`,
  }),
  inference({
    path: "/api/chat",
    id: "ollamaChat",
    summary: "Chat, as Ollama does",
    description: inWords,
    body: {
      schema: z.object({ ...chatRequestSchema.shape, ...streamed }),
      examples: { chat: { model: "llama3.2:3b", messages: [{ role: "user", content: "Say hello." }] } },
    },
    said: lines,
    schema: z.looseObject({
      ...doneFields,
      message: z.looseObject({ role: z.string(), content: z.string() }),
    }),
  }),
  inference({
    path: "/api/embed",
    id: "ollamaEmbed",
    summary: "Turn texts into vectors, as Ollama does",
    description: "A job on the queue.",
    body: {
      schema: z.object({ ...embedRequestSchema.shape, ...common }),
      examples: { texts: { model: "nomic-embed-text", input: ["first text", "second text"] } },
    },
    said: "A vector for each text, in their order.",
    schema: z.object({ model: z.string(), embeddings: z.array(z.array(z.number())), ...counts }),
  }),
  inference({
    path: "/api/embeddings",
    id: "ollamaEmbeddings",
    summary: "Turn one text into a vector, the older way",
    description: "A job on the queue.",
    body: {
      schema: z.object({ ...common, prompt: z.string().min(1) }),
      examples: { text: { model: "nomic-embed-text", prompt: "a text" } },
    },
    said: "Its vector.",
    schema: z.object({ embedding: z.array(z.number()) }),
  }),
  list("/api/tags", "ollamaTags", "List the models of all hosts", models),
  list("/api/ps", "ollamaPs", "List the models in the memory of some host", models),
  list(
    "/api/version",
    "ollamaVersion",
    "The oldest of the hosts' versions",
    z.object({ version: z.string() }),
  ),
  {
    method: "post",
    path: "/api/show",
    id: "ollamaShow",
    tag: "ollama",
    summary: "What a model can do",
    description:
      "As its host told a worker: without license, Modelfile, tensors and vocabulary. `capabilities` and what follows are missing for the moment in which the worker has not asked yet.",
    body: { schema: z.object(common), examples: { model: { model: "llama3.2:3b" } } },
    answers: {
      200: {
        description: "The model.",
        schema: z.object({
          modified_at: z.string(),
          details: z.record(z.string(), z.unknown()),
          capabilities: z.array(z.string()).optional(),
          model_info: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
          parameters: z.string().optional(),
          template: z.string().optional(),
        }),
      },
    },
    problems: [],
    refusals,
    curl: `curl -s http://127.0.0.1:8080/api/show -d '{"model":"llama3.2:3b"}'`,
  },
];
