import { deliveryPolicySchema } from "@forebay/queue-contracts";
import { redisEnvShape, redisSettings } from "@forebay/queue-bullmq";
import { z } from "zod";

const port = z.coerce.number().int().min(0).max(65_535);
// Above about 24 days Node's timers fire at once instead of late.
const secondsMax = 1_000_000;
const seconds = (fallback: number) => z.coerce.number().positive().max(secondsMax).default(fallback);
const millis = (fallback: number) =>
  z.coerce
    .number()
    .int()
    .min(50)
    .max(secondsMax * 1_000)
    .default(fallback);

const backendUrlsSchema = z.string().transform((text, context) => {
  const backends = text.split(",").map((part) => parseBackend(part.trim()));
  for (const [index, backend] of backends.entries()) {
    if (!backend) context.addIssue(`entry ${index + 1} is not [name=]http(s)://host:port`);
  }
  const named = backends.filter((backend) => backend !== undefined);
  if (new Set(named.map(({ name }) => name)).size < named.length)
    context.addIssue("two backends have one name");
  return named;
});

function parseBackend(text: string): { name: string; url: string } | undefined {
  const [, name, url = ""] = /^(?:([\w.-]+)=)?(https?:\/\/.+)$/.exec(text) ?? [];
  if (!URL.canParse(url)) return undefined;
  const { host, search, hash, username } = new URL(url);
  // Paths are appended to it, and credentials in it would be sent nowhere.
  if (search !== "" || hash !== "" || username !== "") return undefined;
  return { name: name ?? host, url: url.replace(/\/+$/, "") };
}

const envSchema = z.object({
  ...redisEnvShape,
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error"]).default("info"),
  OPS_HOST: z.string().default("127.0.0.1"),
  WORKER_OPS_PORT: port.default(9102),
  OLLAMA_URLS: backendUrlsSchema.prefault("http://127.0.0.1:11434"),
  WORKER_NAME: z.string().optional(),
  WORKER_CONCURRENCY: z.coerce.number().int().min(1).max(256).default(1),
  // Ollama sends no byte while a model loads, and loads of minutes are reported: a shorter budget would abort
  // a load only to start it again.
  WORKER_FIRST_BYTE_TIMEOUT_S: seconds(600),
  WORKER_TOKEN_TIMEOUT_S: seconds(120),
  WORKER_DISCOVERY_INTERVAL_MS: millis(5_000),
  WORKER_LOCK_MS: millis(30_000),
  WORKER_STALLED_CHECK_MS: millis(15_000),
  WORKER_SHUTDOWN_GRACE_S: z.coerce.number().min(0).max(secondsMax).default(25),
  DELIVERY_WORKER_LOSSES_MAX: z.coerce.number().int().min(0).default(2),
  DELIVERY_BACKOFF_BASE_MS: z.coerce.number().int().min(0).default(2_000),
  DELIVERY_BACKOFF_MAX_MS: z.coerce.number().int().min(0).default(60_000),
  RETENTION_COMPLETED_S: z.coerce
    .number()
    .int()
    .min(1)
    .default(24 * 3_600),
  RETENTION_COMPLETED_COUNT: z.coerce.number().int().min(1).default(10_000),
  RETENTION_FAILED_S: z.coerce
    .number()
    .int()
    .min(1)
    .default(7 * 24 * 3_600),
});

/** Everything the worker can be told, in real units. */
export const workerConfigSchema = envSchema.transform((env) => ({
  redis: redisSettings(env),
  logLevel: env.LOG_LEVEL,
  ops: { host: env.OPS_HOST, port: env.WORKER_OPS_PORT },
  name: env.WORKER_NAME,
  backends: env.OLLAMA_URLS,
  slotsPerModel: env.WORKER_CONCURRENCY,
  firstByteTimeoutMs: env.WORKER_FIRST_BYTE_TIMEOUT_S * 1_000,
  tokenTimeoutMs: env.WORKER_TOKEN_TIMEOUT_S * 1_000,
  discoveryIntervalMs: env.WORKER_DISCOVERY_INTERVAL_MS,
  lockMs: env.WORKER_LOCK_MS,
  stalledCheckMs: env.WORKER_STALLED_CHECK_MS,
  shutdownGraceMs: env.WORKER_SHUTDOWN_GRACE_S * 1_000,
  policy: deliveryPolicySchema.parse({
    workerLossesMax: env.DELIVERY_WORKER_LOSSES_MAX,
    backoffBaseMs: env.DELIVERY_BACKOFF_BASE_MS,
    backoffMaxMs: env.DELIVERY_BACKOFF_MAX_MS,
    completedAgeS: env.RETENTION_COMPLETED_S,
    completedCount: env.RETENTION_COMPLETED_COUNT,
    failedAgeS: env.RETENTION_FAILED_S,
  }),
}));
export type WorkerConfig = z.infer<typeof workerConfigSchema>;
