import { openServiceRedis } from "@forebay/queue-bullmq";
import {
  createLogger,
  createMetrics,
  exitOnConfigError,
  loadConfig,
  runService,
} from "@forebay/service-runtime";
import { apiConfigSchema } from "./config.ts";
import { startApi } from "./start-api.ts";

const config = exitOnConfigError(() => loadConfig(apiConfigSchema, process.env));
const logger = createLogger({ service: "api", level: config.logLevel });

await runService({ name: "api", graceMs: config.shutdownGraceMs, logger }, async (service) => {
  const client = await openServiceRedis(service, {
    settings: config.redis,
    role: "producer",
    clientName: "forebay-api",
    onError: (error) => logger.warn({ err: error }, "redis connection"),
  });
  await startApi(config, client, { logger, metrics: createMetrics("api") }, service.stack);
});
