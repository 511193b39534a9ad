import { blobStoreEnvShape, blobStoreSettings } from "@forebay/blob-store";
import { redisEnvShape, redisSettings } from "@forebay/queue-bullmq";
import { deliveryPolicySchema, laneSchema, modelNameSchema, payloadBytesMax } from "@forebay/queue-contracts";
import { defaultLaneWeights } from "@forebay/scheduling";
import { z } from "zod";
import type { ModelNames } from "./models/model-names.ts";
import { parseModelNames } from "./models/parse-model-names.ts";

const port = z.coerce.number().int().min(0).max(65_535);
const count = z.coerce.number().int().min(1);

const bucketsSchema = z.string().transform((text, context) => {
  const buckets = text.split(",").map((part) => Number(part.trim()));
  if (buckets.some((bucket) => !Number.isInteger(bucket) || bucket < 1)) {
    context.addIssue("must be whole numbers of tokens with commas between, such as 2048,8192,32768");
  }
  return buckets.toSorted((a, b) => a - b);
});

const laneWeightsSchema = z.string().transform((text, context) => {
  const weights = { ...defaultLaneWeights };
  for (const part of text.split(",")) {
    const [lane, weight] = part.split("=").map((each) => each.trim());
    const named = laneSchema.safeParse(lane);
    const number = Number(weight);
    if (named.success && weight !== undefined && number >= 0.01 && number <= 10_000) {
      weights[named.data] = number;
    } else {
      context.addIssue("must name lanes with weights from 0.01 to 10000: interactive=16,standard=4,batch=1");
    }
  }
  return weights;
});

const envSchema = z.object({
  ...redisEnvShape,
  ...blobStoreEnvShape,
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error"]).default("info"),
  OPS_HOST: z.string().default("127.0.0.1"),
  API_OPS_PORT: port.default(9101),
  API_HOST: z.string().default("127.0.0.1"),
  API_PORT: port.default(8080),
  OLLAMA_DEFAULT_MODEL: modelNameSchema.optional(),
  MODEL_ALIASES: z.string().default(""),
  MODEL_FALLBACKS: z.string().default(""),
  MODEL_CHANGES: z.enum(["true", "false"]).default("false"),
  MODEL_FALLBACK_WAITING_MAX: count.default(100),
  // num_ctx is rounded up to one of these, so that two clients cannot make Ollama reload a model in turns.
  API_CONTEXT_BUCKETS: bucketsSchema.prefault("2048,4096,8192,16384,32768,65536,131072"),
  API_LANE_WEIGHTS: laneWeightsSchema.prefault("interactive=16,standard=4,batch=1"),
  API_QUEUES_MAX: count.default(1_000),
  // More than this would not fit a payload on the queue.
  API_BODY_BYTES_MAX: count.max(payloadBytesMax).default(1_000_000),
  API_BODY_DEPTH_MAX: count.max(1_000).default(32),
  API_FILE_BYTES_MAX: count.default(200 * 1024 * 1024),
  RETENTION_FILES_S: count.min(3_600).default(30 * 24 * 3_600),
  API_TENANT_JOBS_OPEN_MAX: count.default(10_000),
  API_TENANT_JOBS_RUNNING_MAX: count.optional(),
  API_JOBS_WAITING_MAX: count.default(100_000),
  // What no other key says; absent: no such limit.
  API_TENANT_REQUESTS_PER_MIN: count.optional(),
  API_TENANT_TOKENS_PER_MIN: count.optional(),
  API_TENANT_TOKENS_PER_DAY: count.optional(),
  API_BACKLOG_MAX_S: z.coerce.number().positive().default(86_400),
  API_REDIS_MEMORY_HIGH_WATER: z.coerce.number().gt(0).max(1).default(0.9),
  API_KEYS_PATH: z.string().optional(),
  API_SHUTDOWN_GRACE_S: z.coerce.number().min(0).default(10),
  API_STREAM_HEARTBEAT_S: z.coerce.number().positive().default(10),
  API_SDK_RETRY_GRACE_S: z.coerce.number().min(0).max(60).default(1.5),
  API_SILENT_ANSWER_S: z.coerce.number().min(0).max(3_600).default(30),
  API_STREAM_STALL_S: z.coerce.number().positive().default(30),
  DELIVERY_ATTEMPTS: z.coerce.number().int().min(1).max(10).default(3),
});

function modelNames(
  env: { MODEL_ALIASES: string; MODEL_FALLBACKS: string },
  context: z.RefinementCtx,
): ModelNames {
  const { problems, ...names } = parseModelNames(env.MODEL_ALIASES, env.MODEL_FALLBACKS);
  for (const problem of problems) {
    context.addIssue({ code: "custom", path: ["MODEL_ALIASES, MODEL_FALLBACKS"], message: problem });
  }
  return names;
}

/** Everything the API can be told, in real units. */
export const apiConfigSchema = envSchema.transform((env, context) => ({
  redis: redisSettings(env),
  blobStore: blobStoreSettings(env),
  logLevel: env.LOG_LEVEL,
  ops: { host: env.OPS_HOST, port: env.API_OPS_PORT },
  host: env.API_HOST,
  port: env.API_PORT,
  /** Records of keys that need no Redis, as a JSON array. */
  keysPath: env.API_KEYS_PATH,
  shutdownGraceMs: env.API_SHUTDOWN_GRACE_S * 1_000,
  /** Event streams: how often they say that they live, and how long a reader may read nothing. */
  eventStreams: {
    heartbeatMs: env.API_STREAM_HEARTBEAT_S * 1_000,
    stallMs: env.API_STREAM_STALL_S * 1_000,
  },
  calls: {
    retryGraceMs: env.API_SDK_RETRY_GRACE_S * 1_000,
    silenceMs: env.API_SILENT_ANSWER_S === 0 ? undefined : env.API_SILENT_ANSWER_S * 1_000,
  },
  modelChanges: env.MODEL_CHANGES === "true",
  laneWeights: env.API_LANE_WEIGHTS,
  queuesMax: env.API_QUEUES_MAX,
  policy: deliveryPolicySchema.parse({ attempts: env.DELIVERY_ATTEMPTS }),
  jobs: {
    defaultModel: env.OLLAMA_DEFAULT_MODEL,
    contextBuckets: env.API_CONTEXT_BUCKETS,
    names: modelNames(env, context),
    readiness: { waitingMax: env.MODEL_FALLBACK_WAITING_MAX },
  },
  body: { bytesMax: env.API_BODY_BYTES_MAX, depthMax: env.API_BODY_DEPTH_MAX },
  /** Files of batches. */
  uploads: { bytesMax: env.API_FILE_BYTES_MAX, retentionS: env.RETENTION_FILES_S },
  limits: {
    tenantJobsOpenMax: env.API_TENANT_JOBS_OPEN_MAX,
    tenantJobsRunningMax: env.API_TENANT_JOBS_RUNNING_MAX,
    jobsWaitingMax: env.API_JOBS_WAITING_MAX,
    backlogSMax: env.API_BACKLOG_MAX_S,
    tenantRates: {
      requestsPerMin: env.API_TENANT_REQUESTS_PER_MIN,
      tokensPerMin: env.API_TENANT_TOKENS_PER_MIN,
      tokensPerDay: env.API_TENANT_TOKENS_PER_DAY,
    },
    redisMemoryHighWater: env.API_REDIS_MEMORY_HIGH_WATER,
  },
}));
export type ApiConfig = z.infer<typeof apiConfigSchema>;
