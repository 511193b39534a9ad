import { blobStoreEnvShape, blobStoreSettings } from "@forebay/blob-store";
import { redisEnvShape, redisSettings } from "@forebay/queue-bullmq";
import { deliveryPolicySchema, payloadBytesMax } from "@forebay/queue-contracts";
import { z } from "zod";

const count = z.coerce.number().int().min(1);

const envSchema = z.object({
  ...redisEnvShape,
  ...blobStoreEnvShape,
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error"]).default("info"),
  OPS_HOST: z.string().default("127.0.0.1"),
  BATCH_OPS_PORT: z.coerce.number().int().min(0).max(65_535).default(9107),
  /** Batches run at a time. */
  BATCH_CONCURRENCY: count.default(50),
  /** Lines whose jobs are on a queue: of one batch, and of all of this process. */
  BATCH_LINES_IN_FLIGHT_MAX: count.default(200),
  BATCH_LINES_IN_FLIGHT_TOTAL_MAX: count.default(1_000),
  BATCH_LINES_MAX: count.max(1_000_000).default(50_000),
  BATCH_LINE_BYTES_MAX: count.max(payloadBytesMax).default(1_000_000),
  BATCH_FLUSH_MS: count.default(2_000),
  BATCH_LOCK_MS: count.default(30_000),
  BATCH_STALLED_CHECK_MS: count.default(15_000),
  BATCH_UPKEEP_MS: count.default(10_000),
  BATCH_SWEEP_INTERVAL_S: count.default(600),
  /** Blobs of nobody are removed when they are this old. */
  BATCH_ORPHAN_AGE_S: count.default(3_600),
  RETENTION_FILES_S: count.default(30 * 24 * 3_600),
  API_QUEUES_MAX: count.default(1_000),
  API_TENANT_JOBS_OPEN_MAX: count.default(10_000),
  API_TENANT_TOKENS_PER_DAY: count.optional(),
  API_JOBS_WAITING_MAX: count.default(100_000),
  API_REDIS_MEMORY_HIGH_WATER: z.coerce.number().gt(0).max(1).default(0.9),
  DELIVERY_ATTEMPTS: z.coerce.number().int().min(1).max(10).default(3),
});

/** Everything batch-runner can be told, in real units. */
export const batchRunnerConfigSchema = envSchema.transform((env) => ({
  redis: redisSettings(env),
  blobs: blobStoreSettings(env),
  logLevel: env.LOG_LEVEL,
  ops: { host: env.OPS_HOST, port: env.BATCH_OPS_PORT },
  concurrency: env.BATCH_CONCURRENCY,
  linesInFlightTotalMax: env.BATCH_LINES_IN_FLIGHT_TOTAL_MAX,
  limits: {
    linesInFlightMax: env.BATCH_LINES_IN_FLIGHT_MAX,
    linesMax: env.BATCH_LINES_MAX,
    lineBytesMax: env.BATCH_LINE_BYTES_MAX,
    tenantJobsOpenMax: env.API_TENANT_JOBS_OPEN_MAX,
    tenantTokensPerDay: env.API_TENANT_TOKENS_PER_DAY,
    flushMs: env.BATCH_FLUSH_MS,
    retentionS: env.RETENTION_FILES_S,
  },
  room: {
    jobsWaitingMax: env.API_JOBS_WAITING_MAX,
    redisMemoryHighWater: env.API_REDIS_MEMORY_HIGH_WATER,
  },
  lockMs: env.BATCH_LOCK_MS,
  stalledCheckMs: env.BATCH_STALLED_CHECK_MS,
  upkeepMs: env.BATCH_UPKEEP_MS,
  sweepMs: env.BATCH_SWEEP_INTERVAL_S * 1_000,
  orphanAgeMs: env.BATCH_ORPHAN_AGE_S * 1_000,
  queuesMax: env.API_QUEUES_MAX,
  policy: deliveryPolicySchema.parse({ attempts: env.DELIVERY_ATTEMPTS }),
}));
export type BatchRunnerConfig = z.infer<typeof batchRunnerConfigSchema>;
