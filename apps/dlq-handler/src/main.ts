import { checkRedis, openServiceRedis } from "@forebay/queue-bullmq";
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

await runService({ name: "dlq-handler", graceMs: config.shutdownGraceMs, logger }, async (service) => {
  const { stack } = service;
  const registry = createMetrics("dlq-handler");
  const metrics = createDlqMetrics(registry);
  const events = createDlqEvents(logger, metrics);
  const redis = await openServiceRedis(service, {
    settings: config.redis,
    role: "consumer",
    clientName: "forebay-dlq-handler",
    onError: events.redisFailed,
  });
  await startDlqHandler(config, redis, metrics, events, stack);
  const checks = { redis: () => checkRedis(redis) };
  const portVariable = "DLQ_OPS_PORT";
  stack.use(await openOpsServer({ ...config.ops, portVariable, metrics: registry, checks, logger }));
});
