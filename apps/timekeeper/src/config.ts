import { redisEnvShape, redisSettings } from "@forebay/queue-bullmq";
import { z } from "zod";

const envSchema = z.object({
  ...redisEnvShape,
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error"]).default("info"),
  OPS_HOST: z.string().default("127.0.0.1"),
  TIMEKEEPER_OPS_PORT: z.coerce.number().int().min(0).max(65_535).default(9106),
  /** How often is looked for jobs whose time is up. */
  TIMEKEEPER_SWEEP_MS: z.coerce.number().int().min(50).default(500),
  /** How often schedules are compared with what BullMQ has of them. */
  TIMEKEEPER_ASSERT_MS: z.coerce.number().int().min(100).default(30_000),
});

export const timekeeperConfigSchema = envSchema.transform((env) => ({
  redis: redisSettings(env),
  logLevel: env.LOG_LEVEL,
  ops: { host: env.OPS_HOST, port: env.TIMEKEEPER_OPS_PORT },
  sweepMs: env.TIMEKEEPER_SWEEP_MS,
  assertMs: env.TIMEKEEPER_ASSERT_MS,
}));
