import { deliveryPolicySchema, type Lane } from "@forebay/queue-contracts";
import { redisEnvShape, redisSettings } from "@forebay/queue-bullmq";
import { z } from "zod";
import { parseBackends } from "./backends/parse-backends.ts";

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
  const { backends, problems } = parseBackends(text);
  for (const problem of problems) context.addIssue(problem);
  return backends;
});

const slotsMax = 256;
const slotsSchema = z.coerce.number().int().min(1).max(slotsMax);

/** `model=slots` or `model@backend=slots`, by commas. */
const slotListSchema = z.string().transform((text, context) => {
  const slots = new Map<string, number>();
  for (const [index, part] of text.split(",").entries()) {
    const [, name = "", count] = /^\s*([^\s,]+)=(\d+)\s*$/.exec(part) ?? [];
    const parsed = slotsSchema.safeParse(count);
    if (parsed.success) slots.set(name, parsed.data);
    else context.addIssue(`entry ${index + 1} is not model=slots or model@backend=slots`);
  }
  return slots;
});

const affinityWaitSchema = z.string().transform((text, context) => {
  const everyLane = z.coerce.number().min(0).max(secondsMax).safeParse(text);
  if (everyLane.success) return laneRecord(() => everyLane.data * 1_000);
  const found = new Map(
    text.split(",").map((part): [string, string | undefined] => {
      const [lane = "", seconds] = part.trim().split("=");
      return [lane, seconds];
    }),
  );
  return laneRecord((lane) => {
    const parsed = z.coerce.number().min(0).max(secondsMax).safeParse(found.get(lane));
    if (!parsed.success) context.addIssue(`wants seconds, or seconds for each lane: ${lane}=… is missing`);
    return (parsed.data ?? 0) * 1_000;
  });
});

function laneRecord(of: (lane: Lane) => number): Record<Lane, number> {
  return { interactive: of("interactive"), standard: of("standard"), batch: of("batch") };
}

const slotLeaseMsMax = 15_000;

const envSchema = z.object({
  ...redisEnvShape,
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error"]).default("info"),
  OPS_HOST: z.string().default("127.0.0.1"),
  WORKER_OPS_PORT: port.default(9102),
  OLLAMA_URLS: backendUrlsSchema.prefault("http://127.0.0.1:11434"),
  WORKER_NAME: z.string().optional(),
  OLLAMA_BACKENDS_PATH: z.string().optional(),
  MODEL_CHANGES: z.enum(["true", "false"]).default("false"),
  WORKER_CONCURRENCY: z.union([z.literal("auto"), slotsSchema]).default("auto"),
  WORKER_SLOTS: slotListSchema.optional(),
  WORKER_AFFINITY_WAIT_S: affinityWaitSchema.prefault("interactive=10,standard=60,batch=300"),
  WORKER_KEEP_ALIVE_S: z.coerce.number().int().min(-1).max(secondsMax).default(300),
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
  backendsPath: env.OLLAMA_BACKENDS_PATH,
  /** Whether clients may change the models of its hosts. */ modelChanges: env.MODEL_CHANGES === "true",
  slotsPerModel: env.WORKER_CONCURRENCY === "auto" ? undefined : env.WORKER_CONCURRENCY,
  slots: env.WORKER_SLOTS ?? new Map<string, number>(),
  affinityWaitMs: env.WORKER_AFFINITY_WAIT_S,
  keepAliveS: env.WORKER_KEEP_ALIVE_S < 0 ? undefined : env.WORKER_KEEP_ALIVE_S,
  firstByteTimeoutMs: env.WORKER_FIRST_BYTE_TIMEOUT_S * 1_000,
  tokenTimeoutMs: env.WORKER_TOKEN_TIMEOUT_S * 1_000,
  discoveryIntervalMs: env.WORKER_DISCOVERY_INTERVAL_MS,
  lockMs: env.WORKER_LOCK_MS,
  // Whose lock would be gone is not believed to use its slots either.
  slotLeaseMs: Math.min(slotLeaseMsMax, env.WORKER_LOCK_MS),
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
