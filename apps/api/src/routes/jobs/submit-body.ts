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

const envelope = {
  model: modelNameSchema.optional(),
  lane: laneSchema.optional(),
  attempts: z.int().min(1).max(10).optional(),
  idempotency_key: z.string().optional(),
  metadata: metadataSchema.optional(),
  user: textSchema.min(1).max(256).optional(),
  stream: z.boolean().default(true),
};

/** Bodies of `POST /jobs`, one for each type; fields of Ollama's own request stand beside ours. */
export const submitBodySchemas = {
  generate: z.strictObject({
    type: z.literal("generate").optional(),
    ...envelope,
    ...generateRequestSchema.shape,
  }),
  chat: z.strictObject({ type: z.literal("chat").optional(), ...envelope, ...chatRequestSchema.shape }),
  embed: z.strictObject({ type: z.literal("embed").optional(), ...envelope, ...embedRequestSchema.shape }),
};
export type SubmitBody =
  | ({ type: "generate" } & Omit<z.infer<typeof submitBodySchemas.generate>, "type">)
  | ({ type: "chat" } & Omit<z.infer<typeof submitBodySchemas.chat>, "type">)
  | ({ type: "embed" } & Omit<z.infer<typeof submitBodySchemas.embed>, "type">);
