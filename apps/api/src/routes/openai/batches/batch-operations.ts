import { z } from "zod";
import type { Operation, Parameter } from "../../../openapi/operation.ts";
import { openaiRefusals } from "../openai-operations.ts";
import { batchBodySchema } from "./batch-body.ts";
import { batchViewSchema } from "./batch-view.ts";

const id: Parameter = { name: "id", in: "path", description: "The batch's id.", schema: z.string() };
const refusals = (statuses: Readonly<Record<number, string>>) => ({
  schema: openaiRefusals.schema,
  statuses: { 401: "A valid API key is needed.", 503: "The queue is away.", ...statuses },
});
const missing = { 404: "There is no such batch, or it is another tenant's." };

export const batchOperations: readonly Operation[] = [
  {
    method: "post",
    path: "/v1/batches",
    id: "createBatch",
    tag: "openai",
    summary: "Run a file of requests",
    description:
      "Each line is a job in the lane `batch`. The input is looked at first: a line that names no call ends the batch as `failed`, with its number in `errors`; a body the endpoint would refuse fails that line alone. Each `custom_id` ends up once, in the output or in the error file, and both can be read while the batch runs.",
    parameters: [
      {
        name: "Idempotency-Key",
        in: "header",
        description: "The same key with the same body is the same batch, for 24 hours.",
        schema: z.string(),
      },
    ],
    body: {
      schema: batchBodySchema,
      examples: {
        batch: { input_file_id: "file-…", endpoint: "/v1/chat/completions", completion_window: "24h" },
      },
    },
    answers: {
      200: {
        description: "It is recorded, and will be run.",
        schema: batchViewSchema,
        headers: { "Idempotency-Replayed": "`true`: this is the batch that was made with this key before." },
      },
    },
    problems: [],
    refusals: refusals({
      400: "The body is wrong.",
      403: "The key may not use the lane batch.",
      404: "There is no such file, or it is another tenant's.",
      410: "The batch of this Idempotency-Key is not kept any more.",
      422: "The Idempotency-Key was used for another batch.",
    }),
  },
  {
    method: "get",
    path: "/v1/batches",
    id: "listBatches",
    tag: "openai",
    summary: "List batches, newest first",
    parameters: [
      { name: "limit", in: "query", description: "1 to 100; default 20.", schema: z.int() },
      { name: "order", in: "query", description: "By age: `desc` (default) or `asc`.", schema: z.string() },
      { name: "after", in: "query", description: "The id the page before ended with.", schema: z.string() },
    ],
    answers: {
      200: {
        description: "The tenant's.",
        schema: z.object({
          object: z.literal("list"),
          data: z.array(batchViewSchema),
          first_id: z.string().nullable(),
          last_id: z.string().nullable(),
          has_more: z.boolean(),
        }),
      },
    },
    problems: [],
    refusals: refusals({ 400: "A parameter is wrong." }),
    curl: "curl -s http://127.0.0.1:8080/v1/batches",
  },
  {
    method: "get",
    path: "/v1/batches/{id}",
    id: "getBatch",
    tag: "openai",
    summary: "How far a batch is",
    parameters: [id],
    answers: { 200: { description: "The batch.", schema: batchViewSchema } },
    problems: [],
    refusals: refusals(missing),
  },
  {
    method: "post",
    path: "/v1/batches/{id}/cancel",
    id: "cancelBatch",
    tag: "openai",
    summary: "Stop a batch",
    description:
      "No more lines are taken, and those under way are cancelled. What was done stays in the output file; the rest is in the error file as `batch_cancelled`.",
    parameters: [id],
    answers: { 200: { description: "It is `cancelling`, or `cancelled`.", schema: batchViewSchema } },
    problems: [],
    refusals: refusals({ ...missing, 409: "It is over, or about to be." }),
  },
  {
    method: "post",
    path: "/v1/batches/{id}/retry",
    id: "retryBatch",
    tag: "openai",
    summary: "Run the failed lines again (not of OpenAI's API)",
    description: "A new batch of exactly the lines that are in the error file of one that is over.",
    parameters: [id],
    answers: { 200: { description: "The new batch.", schema: batchViewSchema } },
    problems: [],
    refusals: refusals({
      ...missing,
      400: "None of its lines failed.",
      403: "The key may not use the lane batch.",
      409: "It is not over.",
    }),
  },
];
