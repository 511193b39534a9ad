import {
  batchErrorSchema,
  type BatchRecord,
  type BatchStatus,
  batchStatusSchema,
} from "@forebay/queue-bullmq";
import { z } from "zod";

const time = z.int().nullable();

export const batchViewSchema = z
  .object({
    id: z.string(),
    object: z.literal("batch"),
    endpoint: z.string(),
    model: z.string().nullable().describe("The model of all its lines, if it is one."),
    status: batchStatusSchema,
    errors: z
      .object({ object: z.literal("list"), data: z.array(batchErrorSchema) })
      .nullable()
      .describe("Why it `failed`: what is wrong with which line, at most a hundred."),
    input_file_id: z.string(),
    output_file_id: z.string().nullable().describe("Grows while it runs; can be read at any time."),
    error_file_id: z.string().nullable().describe("Likewise, of the lines that failed."),
    completion_window: z.literal("24h"),
    created_at: z.int(),
    in_progress_at: time,
    expires_at: time,
    finalizing_at: time,
    completed_at: time,
    failed_at: time,
    expired_at: time,
    cancelling_at: time,
    cancelled_at: time,
    request_counts: z.object({ total: z.int(), completed: z.int(), failed: z.int() }),
    usage: z.object({
      input_tokens: z.int(),
      input_tokens_details: z.object({ cached_tokens: z.int() }),
      output_tokens: z.int(),
      output_tokens_details: z.object({ reasoning_tokens: z.int() }),
      total_tokens: z.int(),
    }),
    metadata: z.record(z.string(), z.string()).nullable(),
    retry_of: z.string().nullable().describe("The batch whose failed lines this one runs."),
  })
  .meta({ id: "OpenaiBatch" });

export function batchView(batch: BatchRecord): z.infer<typeof batchViewSchema> {
  const { id, endpoint, status, errors, created_at, expires_at, total, completed, failed } = batch;
  const at = (reached: BatchStatus): number | null => batch.at[reached] ?? null;
  return {
    id,
    object: "batch",
    endpoint,
    model: batch.model ?? null,
    status,
    errors: errors.length > 0 ? { object: "list", data: [...errors] } : null,
    input_file_id: batch.input_file_id,
    // They are made when the first line is written.
    output_file_id: batch.outputBytes > 0 ? batch.output_file_id : null,
    error_file_id: batch.errorBytes > 0 ? batch.error_file_id : null,
    completion_window: "24h",
    created_at,
    in_progress_at: at("in_progress"),
    expires_at,
    finalizing_at: at("finalizing"),
    completed_at: at("completed"),
    failed_at: at("failed"),
    expired_at: at("expired"),
    cancelling_at: at("cancelling"),
    cancelled_at: at("cancelled"),
    request_counts: { total, completed, failed },
    usage: {
      input_tokens: batch.inputTokens,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: batch.outputTokens,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: batch.inputTokens + batch.outputTokens,
    },
    metadata: batch.metadata ?? null,
    retry_of: batch.retry_of ?? null,
  };
}
