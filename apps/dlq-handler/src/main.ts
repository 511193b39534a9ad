import { checkRedis, closeRedis, openRedis, waitForRedis } from "@forebay/queue-bullmq";
import {
  createLogger,
  createMetrics,
  exitOnConfigError,
  loadConfig,
  openOpsServer,
  runService,
} from "@forebay/service-runtime";
import { dlqConfigSchema } from "./config.ts";
import { createDlqMetrics } from "./dlq-metrics.ts";
import { createDlqEvents } from "./events.ts";
import { startDlqHandler } from "./start-dlq-handler.ts";

const config = exitOnConfigError(() => loadConfig(dlqConfigSchema, process.env));
const logger = createLogger({ service: "dlq-handler", level: config.logLevel });

await runService({ name: "dlq-handler", graceMs: config.shutdownGraceMs, logger }, async ({ stack }) => {
  const registry = createMetrics("dlq-handler");
  const metrics = createDlqMetrics(registry);
  const events = createDlqEvents(logger, metrics);
  const redis = openRedis(config.redis, "consumer", "forebay-dlq-handler", events.redisFailed);
  stack.defer(() => closeRedis(redis));
  await waitForRedis(redis, 30_000);
  await startDlqHandler(config, redis, metrics, events, stack);
  const checks = { redis: () => checkRedis(redis) };
  const portVariable = "DLQ_OPS_PORT";
  stack.use(await openOpsServer({ ...config.ops, portVariable, metrics: registry, checks, logger }));
});
