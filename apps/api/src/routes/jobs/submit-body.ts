import {
  chatRequestSchema,
  embedRequestSchema,
  generateRequestSchema,
  laneSchema,
  metadataSchema,
  modelNameSchema,
  textSchema,
} from "@forebay/queue-contracts";
import { z } from "zod";
import { delayMsMax } from "./resolve-timing.ts";

const envelope = {
  model: modelNameSchema.optional().describe("Default: the server's default model, if it has one."),
  lane: laneSchema
    .optional()
    .describe(
      "How urgent: `interactive` a person is looking, `standard` a service waits, `batch` nobody waits. Default: the key's, mostly `standard`.",
    ),
  attempts: z
    .int()
    .min(1)
    .max(10)
    .optional()
    .describe("Tries that count. Overload, shutdown and an unreachable backend spend none. Default 3."),
  idempotency_key: z
    .string()
    .optional()
    .describe("The same as the header Idempotency-Key, which wins over it."),
  metadata: metadataSchema
    .optional()
    .describe("At most 16 pairs of text that come back with the job and can be searched for."),
  user: textSchema
    .min(1)
    .max(256)
    .optional()
    .describe("A person or process within the tenant; sub-divides the tenant's share and nobody else's."),
  run_at: z.iso
    .datetime({ offset: true })
    .optional()
    .describe("Not before this time; the job is `delayed` until then. Not together with delay_ms."),
  delay_ms: z
    .int()
    .min(0)
    .max(delayMsMax)
    .optional()
    .describe("Not before so many milliseconds from now; the job is `delayed` until then."),
  start_deadline_s: z
    .number()
    .positive()
    .max(delayMsMax / 1_000)
    .optional()
    .describe(
      "Seconds, from when it may begin, within which it must have begun; then it ends as `expired` and never reaches a GPU.",
    ),
  timeout_s: z
    .number()
    .positive()
    .max(delayMsMax / 1_000)
    .optional()
    .describe("Seconds from its first start, retries included, after which it ends as `timed_out`."),
  stream: z
    .boolean()
    .default(true)
    .describe(
      "false: no log of the tokens is kept (batch work): its events tell states only. The result is the same.",
    ),
};

/** Bodies of `POST /jobs`, one for each type; fields of Ollama's own request stand beside ours. */
export const submitBodySchemas = {
  generate: z
    .strictObject({
      type: z.literal("generate").optional(),
      ...envelope,
      ...generateRequestSchema.shape,
    })
    .meta({ id: "GenerateJob" }),
  chat: z
    .strictObject({ type: z.literal("chat").optional(), ...envelope, ...chatRequestSchema.shape })
    .meta({ id: "ChatJob" }),
  embed: z
    .strictObject({ type: z.literal("embed").optional(), ...envelope, ...embedRequestSchema.shape })
    .meta({ id: "EmbedJob" }),
};
export type SubmitBody =
  | ({ type: "generate" } & Omit<z.infer<typeof submitBodySchemas.generate>, "type">)
  | ({ type: "chat" } & Omit<z.infer<typeof submitBodySchemas.chat>, "type">)
  | ({ type: "embed" } & Omit<z.infer<typeof submitBodySchemas.embed>, "type">);
