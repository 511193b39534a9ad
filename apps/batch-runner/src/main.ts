import { checkRedis, openServiceRedis } from "@forebay/queue-bullmq";
import {
  createLogger,
  createMetrics,
  exitOnConfigError,
  loadConfig,
  openOpsServer,
  runService,
} from "@forebay/service-runtime";
import { batchRunnerConfigSchema } from "./config.ts";
import { createRunnerEvents } from "./events.ts";
import { startBatchRunner } from "./start-batch-runner.ts";

const config = exitOnConfigError(() => loadConfig(batchRunnerConfigSchema, process.env));
const logger = createLogger({ service: "batch-runner", level: config.logLevel });

await runService({ name: "batch-runner", graceMs: 10_000, logger }, async (service) => {
  const { stack } = service;
  const metrics = createMetrics("batch-runner");
  const events = createRunnerEvents(logger, metrics);
  const redis = await openServiceRedis(service, {
    settings: config.redis,
    role: "consumer",
    clientName: "forebay-batch-runner",
    onError: events.redisFailed,
  });
  await startBatchRunner(config, redis, events, stack);
  const checks = { redis: () => checkRedis(redis) };
  const portVariable = "BATCH_OPS_PORT";
  stack.use(await openOpsServer({ ...config.ops, portVariable, metrics, checks, logger }));
});
