import { chatBodySchema, completionBodySchema, embeddingsBodySchema } from "@forebay/openai-format";
import { z } from "zod";
import { callHeaders } from "../../calls/call-headers.ts";
import type { Operation } from "../../openapi/operation.ts";

const errorSchema = z
  .object({
    error: z.object({
      message: z.string(),
      type: z.string(),
      param: z.string().nullable().describe("The field that is wrong."),
      code: z.string().nullable(),
    }),
  })
  .meta({ id: "OpenaiError" });

export const openaiRefusals = {
  schema: errorSchema,
  statuses: {
    400: "The body is wrong, or the model cannot do this.",
    401: "A valid API key is needed.",
    403: "The key may not do that.",
    404: "The model is not known here.",
    413: "The body is too large.",
    415: "The body is not said to be application/json.",
    422: "The Idempotency-Key was used for another call.",
    429: "The tenant has too many open jobs, or has used up its requests or tokens of the minute or day. `Retry-After` (at most 60) and `x-ratelimit-*` say when to come back.",
    500: "The job failed; `code` says how. It has been tried again already: `x-should-retry: false`.",
    503: "Too much is waiting, or the queue or every backend is away.",
  },
};

const usage = z.object({ prompt_tokens: z.int(), completion_tokens: z.int(), total_tokens: z.int() });
const head = { id: z.string(), object: z.string(), created: z.int(), model: z.string() };
const answerSchema = z.looseObject({
  ...head,
  choices: z.array(z.looseObject({ index: z.int(), finish_reason: z.string().nullable() })),
  usage,
  service_tier: z.enum(["priority", "default", "flex"]).describe("The lane it ran in."),
});
const modelSchema = z.object({
  id: z.string(),
  object: z.string(),
  created: z.int(),
  owned_by: z.string(),
  alias_of: z.string().optional().describe("The model this is another name for."),
});

const answered = {
  description:
    "The answer; with `stream` its chunks as server-sent events, then `[DONE]`. `x-request-id` is the id of the job, to be seen under `/jobs/{id}`.",
  schema: answerSchema,
  headers: { "x-request-id": "The job's id.", "forebay-model": "The model that answers." },
};
const accepted = { description: "With `Prefer`: the job." };
const inWords =
  "The call is a job on the queue: it waits its turn, and a comment every 10 seconds keeps a stream alive meanwhile. One that is not streamed begins as 200 with blanks after `API_SILENT_ANSWER_S` (30) seconds; a job that fails after that breaks the connection off. A job that has to begin anew goes on where the client was, or ends the stream with an error if it then says something else.";

export const openaiOperations: readonly Operation[] = [
  {
    method: "post",
    path: "/v1/chat/completions",
    id: "createChatCompletion",
    tag: "openai",
    summary: "Chat, as OpenAI's SDKs do it",
    description: `${inWords} \`n\` is 1; images are data URLs; no model can be forced to call a tool; \`service_tier\` chooses the lane (\`priority\`: interactive, \`default\`: standard, \`flex\`: batch). Log probabilities come with the last chunk. Fields that mean nothing to Ollama are ignored.`,
    parameters: callHeaders,
    body: {
      schema: chatBodySchema,
      examples: { chat: { model: "llama3.2:3b", messages: [{ role: "user", content: "Say hello." }] } },
    },
    answers: { 200: answered, 202: accepted },
    problems: [],
    refusals: openaiRefusals,
    curl: `curl -s http://127.0.0.1:8080/v1/chat/completions -H 'content-type: application/json' -d '{"model":"llama3.2:3b","messages":[{"role":"user","content":"Say hello."}]}'`,
  },
  {
    method: "post",
    path: "/v1/completions",
    id: "createCompletion",
    tag: "openai",
    summary: "Complete a text, the older way",
    description: inWords,
    parameters: callHeaders,
    body: {
      schema: completionBodySchema,
      examples: { text: { model: "llama3.2:3b", prompt: "Once upon a time", max_tokens: 20 } },
    },
    answers: { 200: answered, 202: accepted },
    problems: [],
    refusals: openaiRefusals,
  },
  {
    method: "post",
    path: "/v1/embeddings",
    id: "createEmbedding",
    tag: "openai",
    summary: "Turn texts into vectors",
    description: "A job on the queue. `base64`, which SDKs ask for, are little-endian 32-bit floats.",
    parameters: callHeaders,
    body: {
      schema: embeddingsBodySchema,
      examples: { texts: { model: "nomic-embed-text", input: ["first text", "second text"] } },
    },
    answers: {
      200: {
        description: "A vector for each text, in their order.",
        schema: z.object({
          object: z.literal("list"),
          data: z.array(
            z.object({
              object: z.literal("embedding"),
              index: z.int(),
              embedding: z.union([z.array(z.number()), z.string()]),
            }),
          ),
          model: z.string(),
          usage: usage.omit({ completion_tokens: true }),
        }),
      },
      202: accepted,
    },
    problems: [],
    refusals: openaiRefusals,
  },
  {
    method: "get",
    path: "/v1/models",
    id: "listOpenaiModels",
    tag: "openai",
    summary: "List the models, as OpenAI's SDKs read them",
    answers: {
      200: {
        description: "What the key may use.",
        schema: z.object({ object: z.literal("list"), data: z.array(modelSchema) }),
      },
    },
    problems: [],
    refusals: { schema: errorSchema, statuses: { 401: openaiRefusals.statuses[401] } },
    curl: "curl -s http://127.0.0.1:8080/v1/models",
  },
  {
    method: "get",
    path: "/v1/models/{id}",
    id: "getOpenaiModel",
    tag: "openai",
    summary: "Whether there is a model",
    parameters: [{ name: "id", in: "path", description: "Its name; may hold slashes.", schema: z.string() }],
    answers: { 200: { description: "There is.", schema: modelSchema } },
    problems: [],
    refusals: {
      schema: errorSchema,
      statuses: { 401: openaiRefusals.statuses[401], 404: openaiRefusals.statuses[404] },
    },
  },
];
