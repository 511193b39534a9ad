import { responseBodySchema } from "@forebay/openai-format";
import { z } from "zod";
import { callHeaders } from "../../../calls/call-headers.ts";
import type { Operation, Parameter } from "../../../openapi/operation.ts";
import { openaiRefusals } from "../openai-operations.ts";

const item = z.looseObject({ id: z.string(), type: z.string() });
const responseSchema = z
  .looseObject({
    id: z.string().describe("`resp_` and the id of the job."),
    object: z.literal("response"),
    created_at: z.int().describe("Seconds since 1970."),
    completed_at: z.int().nullable(),
    status: z.enum(["queued", "in_progress", "completed", "incomplete", "failed", "cancelled"]),
    background: z.boolean(),
    model: z.string(),
    output: z.array(item).describe("Thoughts (`reasoning`), words (`message`), calls (`function_call`)."),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
    incomplete_details: z.object({ reason: z.string() }).nullable(),
    previous_response_id: z.string().nullable(),
    service_tier: z.enum(["priority", "default", "flex"]).describe("The lane it runs in."),
    usage: z.looseObject({ input_tokens: z.int(), output_tokens: z.int(), total_tokens: z.int() }).nullable(),
  })
  .meta({ id: "Response" });

const idParameter: Parameter = {
  name: "id",
  in: "path",
  description: "The response's id.",
  schema: z.string(),
};
const onOne = {
  schema: openaiRefusals.schema,
  statuses: {
    400: "A parameter is wrong, or this response cannot do that.",
    401: openaiRefusals.statuses[401],
    404: "There is no such response: it never was, was not stored, was deleted, or has aged out.",
    503: openaiRefusals.statuses[503],
  },
};
const events =
  "Server-sent events with a `type` and a `sequence_number` that rises from 0. The same number is the same event from every server and at any time; numbers are only left out where the queue lost some, or a failed response was put back. A comment comes every 10 seconds.";

export const responseOperations: readonly Operation[] = [
  {
    method: "post",
    path: "/v1/responses",
    id: "createResponse",
    tag: "openai",
    summary: "A response, as OpenAI's SDKs ask for it",
    description: `A job on the queue. \`background\`: answered at once, and goes on whoever hangs up. \`stream\`: ${events} \`previous_response_id\` goes on from a response that has an answer. \`store: false\`: not to be found by its id. Tools are functions, images data URLs; what would change the answer and cannot be honoured is refused by its name.`,
    parameters: callHeaders,
    body: {
      schema: responseBodySchema,
      examples: {
        text: { model: "llama3.2:3b", input: "Say hello." },
        background: { model: "llama3.2:3b", input: "Tell a long story.", background: true },
      },
    },
    answers: {
      200: {
        description: "The response, or with `stream` its events. `x-request-id` is the id of the job.",
        schema: responseSchema,
        headers: { "x-request-id": "The job's id." },
      },
    },
    problems: [],
    refusals: openaiRefusals,
    curl: `curl -s http://127.0.0.1:8080/v1/responses -H 'content-type: application/json' -d '{"model":"llama3.2:3b","input":"Say hello."}'`,
  },
  {
    method: "get",
    path: "/v1/responses/{id}",
    id: "getResponse",
    tag: "openai",
    summary: "How a response stands, or its events",
    description: `With \`stream=true\`: ${events} Events that cannot be had any more are \`410\`.`,
    parameters: [
      idParameter,
      { name: "stream", in: "query", description: "`true`: its events.", schema: z.enum(["true", "false"]) },
      {
        name: "starting_after",
        in: "query",
        description: "Only events with a higher number.",
        schema: z.int().min(0),
      },
    ],
    answers: { 200: { description: "The response, or its events.", schema: responseSchema } },
    problems: [],
    refusals: {
      ...onOne,
      statuses: { ...onOne.statuses, 410: "The events after this number are not kept any more." },
    },
  },
  {
    method: "delete",
    path: "/v1/responses/{id}",
    id: "deleteResponse",
    tag: "openai",
    summary: "Erase a response",
    description: "With what it was asked, its answer and its events. One that runs is cancelled first.",
    parameters: [idParameter],
    answers: {
      200: {
        description: "It is gone.",
        schema: z.object({ id: z.string(), object: z.literal("response"), deleted: z.literal(true) }),
      },
    },
    problems: [],
    refusals: {
      ...onOne,
      statuses: { ...onOne.statuses, 409: "It is being cancelled still; come back in a moment." },
    },
  },
  {
    method: "post",
    path: "/v1/responses/{id}/cancel",
    id: "cancelResponse",
    tag: "openai",
    summary: "Cancel a response in the background",
    description: "As often as you like: one that has ended stays what it is.",
    parameters: [idParameter],
    answers: { 200: { description: "The response.", schema: responseSchema } },
    problems: [],
    refusals: onOne,
  },
  {
    method: "get",
    path: "/v1/responses/{id}/input_items",
    id: "listInputItems",
    tag: "openai",
    summary: "What a response was given",
    description: "Its own input, without what it follows. Parts of text come back as one.",
    parameters: [
      idParameter,
      { name: "limit", in: "query", description: "Default 20.", schema: z.int().min(1).max(100) },
      {
        name: "order",
        in: "query",
        description: "Default `desc`: newest first.",
        schema: z.enum(["asc", "desc"]),
      },
      { name: "after", in: "query", description: "Items after the one with this id.", schema: z.string() },
    ],
    answers: {
      200: {
        description: "A page of items.",
        schema: z.object({
          object: z.literal("list"),
          data: z.array(item),
          first_id: z.string().nullable(),
          last_id: z.string().nullable(),
          has_more: z.boolean(),
        }),
      },
    },
    problems: [],
    refusals: onOne,
  },
];
