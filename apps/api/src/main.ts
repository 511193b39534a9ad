import { closeRedis, openRedis, waitForRedis } from "@forebay/queue-bullmq";
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
const redisWaitMs = 15_000;

await runService({ name: "api", graceMs: config.shutdownGraceMs, logger }, async ({ stack }) => {
  const client = openRedis(config.redis, "producer", "forebay-api", (error) =>
    logger.warn({ err: error }, "redis connection"),
  );
  stack.defer(() => closeRedis(client));
  await waitForRedis(client, redisWaitMs);
  await startApi(config, client, { logger, metrics: createMetrics("api") }, stack);
});
