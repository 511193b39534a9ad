import { redisEnvShape, redisSettings } from "@forebay/queue-bullmq";
import { z } from "zod";

const port = z.coerce.number().int().min(0).max(65_535);

const envSchema = z.object({
  ...redisEnvShape,
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error"]).default("info"),
  OPS_HOST: z.string().default("127.0.0.1"),
  DASHBOARD_OPS_PORT: port.default(9104),
  DASHBOARD_HOST: z.string().default("127.0.0.1"),
  DASHBOARD_PORT: port.default(8081),
  DASHBOARD_BASE_PATH: z
    .string()
    .regex(/^(\/[\w~-][\w.~-]*)*\/?$/, { error: "must be a path such as /dashboard" })
    .default(""),
  DASHBOARD_READ_ONLY: z.enum(["true", "false"]).default("true"),
  DASHBOARD_SESSION_SECRET: z.string().min(32, { error: "must have at least 32 characters" }).optional(),
  DASHBOARD_SESSION_HOURS: z.coerce.number().positive().max(720).default(12),
  DASHBOARD_KEYS_PATH: z.string().optional(),
});

/** Everything the dashboard can be told, in real units. */
export const dashboardConfigSchema = envSchema.transform((env) => ({
  redis: redisSettings(env),
  logLevel: env.LOG_LEVEL,
  ops: { host: env.OPS_HOST, port: env.DASHBOARD_OPS_PORT },
  host: env.DASHBOARD_HOST,
  port: env.DASHBOARD_PORT,
  /** Where the board lives behind its proxy: "" or "/dashboard", never with a slash at its end. */
  basePath: env.DASHBOARD_BASE_PATH.replace(/\/$/, ""),
  readOnly: env.DASHBOARD_READ_ONLY === "true",
  session: { secret: env.DASHBOARD_SESSION_SECRET, ttlMs: env.DASHBOARD_SESSION_HOURS * 3_600_000 },
  /** Records of keys that need no Redis, as a JSON array. */
  keysPath: env.DASHBOARD_KEYS_PATH,
}));
export type DashboardConfig = z.infer<typeof dashboardConfigSchema>;
