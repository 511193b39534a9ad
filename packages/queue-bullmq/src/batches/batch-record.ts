import { randomBytes } from "node:crypto";
import { metadataSchema, nameSchema } from "@forebay/queue-contracts";
import { z } from "zod";
import { fileIdSchema } from "../files/file-record.ts";
import { parseJson } from "../redis/parse-json.ts";

export const batchIdSchema = z.string().regex(/^batch_[0-9a-f]{32}$/, { error: "is not the id of a batch" });

export const createBatchId = (): string => `batch_${randomBytes(16).toString("hex")}`;

export const batchEndpointSchema = z.enum([
  "/v1/chat/completions",
  "/v1/completions",
  "/v1/embeddings",
  "/v1/responses",
]);
export type BatchEndpoint = z.infer<typeof batchEndpointSchema>;

export const batchStatuses = [
  "validating",
  "failed",
  "in_progress",
  "finalizing",
  "completed",
  "expired",
  "cancelling",
  "cancelled",
] as const;
export const batchStatusSchema = z.enum(batchStatuses);
export type BatchStatus = z.infer<typeof batchStatusSchema>;

export const isBatchOver = (status: BatchStatus): boolean =>
  status === "completed" || status === "failed" || status === "expired" || status === "cancelled";

/** What was asked for; never changes. Times are seconds since 1970. */
export const batchHeadSchema = z.object({
  v: z.literal(1),
  id: batchIdSchema,
  tenant: nameSchema,
  endpoint: batchEndpointSchema,
  input_file_id: fileIdSchema,
  /** Chosen at once, made when the first line is written. */
  output_file_id: fileIdSchema,
  error_file_id: fileIdSchema,
  metadata: metadataSchema.optional(),
  /** Its input is made of the failed lines of this batch. */
  retry_of: batchIdSchema.optional(),
  /** What the key that made it may: models, jobs its tenant may have open, its tokens a day. Absent: no limit of its own. */
  models: z.array(z.string()).optional(),
  /** Other names for models, as they were configured when it was made: canonical name → model. */
  aliases: z.record(z.string(), z.string()).optional(),
  jobs_open_max: z.int().optional(),
  tokens_per_day: z.int().optional(),
  created_at: z.int(),
  expires_at: z.int(),
  /** When its output files expire. */
  files_expire_at: z.int(),
});
export type BatchHead = z.infer<typeof batchHeadSchema>;

/** One thing wrong with the input file. */
export const batchErrorSchema = z.object({
  code: z.string(),
  message: z.string(),
  param: z.string().nullable(),
  /** Counted from 1; null: the file as a whole. */ line: z.int().nullable(),
});
export type BatchError = z.infer<typeof batchErrorSchema>;

/** How a batch ends once all its lines are written. */
const endingSchema = z.enum(["completed", "expired", "cancelled"]);
export type BatchEnding = z.infer<typeof endingSchema>;

/** A batch as it stands. */
export type BatchRecord = BatchHead & {
  readonly status: BatchStatus;
  readonly ending: BatchEnding | undefined;
  /** When it reached a status, by status; seconds. */
  readonly at: Readonly<Partial<Record<BatchStatus, number>>>;
  readonly total: number;
  readonly completed: number;
  readonly failed: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly errors: readonly BatchError[];
  /** The one model of all its lines, if it is one. */ readonly model: string | undefined;
  /** Bytes written to its output and error file. */
  readonly outputBytes: number;
  readonly errorBytes: number;
  /** How far its lines were taken: the next one, where it begins, and its number in the file. */
  readonly cursor: BatchCursor;
  /** Number of the last change; whoever changes it says which one it knows. */ readonly rev: number;
};
export type BatchCursor = { readonly index: number; readonly offset: number; readonly line: number };

export function parseBatch(hash: Readonly<Record<string, string>>): BatchRecord | undefined {
  const head = batchHeadSchema.safeParse(parseJson(hash["head"])).data;
  const status = batchStatusSchema.safeParse(hash["status"]).data;
  if (!head || !status) return undefined;
  const number = (name: string): number => Number(hash[name] ?? 0);
  const times = batchStatuses
    .filter((each) => hash[`at:${each}`] !== undefined)
    .map((each) => [each, number(`at:${each}`)]);
  return {
    ...head,
    status,
    ending: endingSchema.safeParse(hash["ending"]).data,
    at: Object.fromEntries(times) as BatchRecord["at"],
    total: number("total"),
    completed: number("completed"),
    failed: number("failed"),
    inputTokens: number("input_tokens"),
    outputTokens: number("output_tokens"),
    errors: z.array(batchErrorSchema).safeParse(parseJson(hash["errors"])).data ?? [],
    model: hash["model"],
    outputBytes: number("output_bytes"),
    errorBytes: number("error_bytes"),
    cursor: { index: number("cursor"), offset: number("cursor:offset"), line: number("cursor:line") },
    rev: number("rev"),
  };
}
