import path from "node:path";
import { z } from "zod";

const port = (preset: number) => z.coerce.number().int().min(1).max(65_535).default(preset);

/** What `npm start` itself needs to know; the services read the rest of the same environment themselves. */
export const localConfigSchema = z
  .object({
    REDIS_URL: z.string().optional(),
    REDIS_PASSWORD: z.string().optional(),
    OLLAMA_URLS: z.string().optional(),
    OLLAMA_DEFAULT_MODEL: z.string().optional(),
    FOREBAY_DATA_DIR: z.string().default(".forebay"),
    FOREBAY_API_KEY: z.string().optional(),
    OPS_HOST: z.string().default("127.0.0.1"),
    API_HOST: z.string().default("127.0.0.1"),
    API_PORT: port(8080),
    API_OPS_PORT: port(9101),
    WORKER_OPS_PORT: port(9102),
    DLQ_OPS_PORT: port(9103),
    TIMEKEEPER_OPS_PORT: port(9106),
    BATCH_OPS_PORT: port(9107),
    DASHBOARD_HOST: z.string().default("127.0.0.1"),
    DASHBOARD_PORT: port(8081),
    DASHBOARD_OPS_PORT: port(9104),
    DASHBOARD_BASE_PATH: z.string().default(""),
    WORKER_SHUTDOWN_GRACE_S: z.coerce.number().min(0).default(25),
  })
  .transform((env) => ({
    redisUrl: env.REDIS_URL,
    redisPassword: env.REDIS_PASSWORD,
    ollamaUrls: env.OLLAMA_URLS,
    defaultModel: env.OLLAMA_DEFAULT_MODEL,
    dataDir: path.resolve(env.FOREBAY_DATA_DIR),
    // The services end themselves after the grace they were given; this is for one that cannot.
    stopTimeoutMs: (env.WORKER_SHUTDOWN_GRACE_S + 20) * 1_000,
    apiKey: env.FOREBAY_API_KEY,
    dashboardBasePath: env.DASHBOARD_BASE_PATH.replace(/\/$/, ""),
    /** Every port the services listen on, by the variable that chooses it. */
    addresses: {
      API_PORT: { host: env.API_HOST, port: env.API_PORT },
      API_OPS_PORT: { host: env.OPS_HOST, port: env.API_OPS_PORT },
      WORKER_OPS_PORT: { host: env.OPS_HOST, port: env.WORKER_OPS_PORT },
      DLQ_OPS_PORT: { host: env.OPS_HOST, port: env.DLQ_OPS_PORT },
      TIMEKEEPER_OPS_PORT: { host: env.OPS_HOST, port: env.TIMEKEEPER_OPS_PORT },
      BATCH_OPS_PORT: { host: env.OPS_HOST, port: env.BATCH_OPS_PORT },
      DASHBOARD_PORT: { host: env.DASHBOARD_HOST, port: env.DASHBOARD_PORT },
      DASHBOARD_OPS_PORT: { host: env.OPS_HOST, port: env.DASHBOARD_OPS_PORT },
    },
  }));

export type LocalConfig = z.output<typeof localConfigSchema>;
export type PortVariable = keyof LocalConfig["addresses"];
