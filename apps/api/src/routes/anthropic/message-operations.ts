import { z } from "zod";
import { callHeaders } from "../../calls/call-headers.ts";
import type { Operation } from "../../openapi/operation.ts";
import { openaiRefusals } from "../openai/openai-operations.ts";
import { messageBodySchema } from "./message-body.ts";

const errorSchema = z
  .object({
    type: z.literal("error"),
    error: z.object({ type: z.string(), message: z.string() }),
    request_id: z.string(),
  })
  .meta({ id: "AnthropicError" });

const messageSchema = z.looseObject({
  id: z.string(),
  type: z.literal("message"),
  role: z.literal("assistant"),
  model: z.string(),
  content: z.array(z.looseObject({ type: z.enum(["thinking", "text", "tool_use"]) })),
  stop_reason: z.enum(["end_turn", "max_tokens", "tool_use"]).nullable(),
  usage: z.looseObject({ input_tokens: z.int(), output_tokens: z.int() }),
});

export const messageOperations: readonly Operation[] = [
  {
    method: "post",
    path: "/v1/messages",
    id: "createMessage",
    tag: "anthropic",
    summary: "A message, as Anthropic's SDKs ask for it",
    description:
      "A job on the queue. Streamed, a `ping` every 10 seconds keeps the connection alive while it waits; input tokens are known at the end, with `message_delta`. The model thinks when `thinking` says so; `budget_tokens` cannot limit it. A stop sequence ends with `end_turn`, since Ollama does not tell the two apart. What would change the answer and cannot be honoured is refused by its name; `cache_control` changes nothing and is ignored.",
    parameters: callHeaders,
    body: {
      schema: messageBodySchema,
      examples: {
        text: { model: "llama3.2:3b", max_tokens: 100, messages: [{ role: "user", content: "Say hello." }] },
      },
    },
    answers: {
      200: {
        description:
          "The message, or with `stream` its events from `message_start` to `message_stop`. `request-id` is the id of the job.",
        schema: messageSchema,
        headers: { "request-id": "The job's id." },
      },
    },
    problems: [],
    refusals: { schema: errorSchema, statuses: openaiRefusals.statuses },
    curl: `curl -s http://127.0.0.1:8080/v1/messages -H 'content-type: application/json' -d '{"model":"llama3.2:3b","max_tokens":100,"messages":[{"role":"user","content":"Say hello."}]}'`,
  },
];
