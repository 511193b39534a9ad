import { redisEnvShape, redisSettings } from "@forebay/queue-bullmq";
import { defaultDeliveryPolicy, deliveryPolicySchema } from "@forebay/queue-contracts";
import { z } from "zod";
import { redrivePolicySchema } from "./redrive/redrive-policy.ts";

const port = z.coerce.number().int().min(0).max(65_535);
const millis = (fallback: number) => z.coerce.number().int().min(50).default(fallback);
const seconds = (fallback: number) => z.coerce.number().int().min(1).default(fallback);

const envSchema = z.object({
  ...redisEnvShape,
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error"]).default("info"),
  OPS_HOST: z.string().default("127.0.0.1"),
  DLQ_OPS_PORT: port.default(9103),
  DLQ_SWEEP_INTERVAL_MS: millis(5_000),
  DLQ_FULL_SWEEP_INTERVAL_S: seconds(600),
  // When a job failed is told by some worker's clock, which may be minutes off: each sweep looks back this far.
  DLQ_SWEEP_OVERLAP_S: seconds(300),
  DLQ_AUTO_REDRIVE: redrivePolicySchema.prefault(""),
  DLQ_COMMAND_LOCK_MS: millis(30_000),
  DLQ_COMMAND_STALLED_CHECK_MS: millis(15_000),
  DLQ_UPKEEP_INTERVAL_S: seconds(60),
  DLQ_GAUGES_INTERVAL_MS: millis(5_000),
  DLQ_SHUTDOWN_GRACE_S: z.coerce.number().min(0).default(10),
  API_QUEUES_MAX: z.coerce.number().int().min(1).default(1_000),
  DELIVERY_ATTEMPTS: z.coerce.number().int().min(1).max(10).default(defaultDeliveryPolicy.attempts),
  RETENTION_COMPLETED_S: seconds(defaultDeliveryPolicy.completedAgeS),
  RETENTION_FAILED_S: seconds(defaultDeliveryPolicy.failedAgeS),
  RETENTION_DEAD_LETTERS_S: seconds(defaultDeliveryPolicy.deadLetterAgeS),
});

/** Everything dlq-handler can be told, in real units. */
export const dlqConfigSchema = envSchema.transform((env) => ({
  redis: redisSettings(env),
  logLevel: env.LOG_LEVEL,
  ops: { host: env.OPS_HOST, port: env.DLQ_OPS_PORT },
  sweep: {
    intervalMs: env.DLQ_SWEEP_INTERVAL_MS,
    fullIntervalMs: env.DLQ_FULL_SWEEP_INTERVAL_S * 1_000,
    overlapMs: env.DLQ_SWEEP_OVERLAP_S * 1_000,
  },
  /** A redrive to another model may need a queue that is not there yet. */
  queuesMax: env.API_QUEUES_MAX,
  autoRedrive: env.DLQ_AUTO_REDRIVE,
  commands: { lockMs: env.DLQ_COMMAND_LOCK_MS, stalledCheckMs: env.DLQ_COMMAND_STALLED_CHECK_MS },
  upkeepIntervalMs: env.DLQ_UPKEEP_INTERVAL_S * 1_000,
  gaugesIntervalMs: env.DLQ_GAUGES_INTERVAL_MS,
  shutdownGraceMs: env.DLQ_SHUTDOWN_GRACE_S * 1_000,
  policy: deliveryPolicySchema.parse({
    attempts: env.DELIVERY_ATTEMPTS,
    completedAgeS: env.RETENTION_COMPLETED_S,
    failedAgeS: env.RETENTION_FAILED_S,
    deadLetterAgeS: env.RETENTION_DEAD_LETTERS_S,
  }),
}));
export type DlqConfig = z.infer<typeof dlqConfigSchema>;
