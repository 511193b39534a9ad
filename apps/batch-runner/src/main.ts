import { checkRedis, closeRedis, openRedis, waitForRedis } from "@forebay/queue-bullmq";
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

await runService({ name: "batch-runner", graceMs: 10_000, logger }, async ({ stack }) => {
  const metrics = createMetrics("batch-runner");
  const events = createRunnerEvents(logger, metrics);
  const redis = openRedis(config.redis, "consumer", "forebay-batch-runner", events.redisFailed);
  stack.defer(() => closeRedis(redis));
  await waitForRedis(redis, 30_000);
  await startBatchRunner(config, redis, events, stack);
  const checks = { redis: () => checkRedis(redis) };
  const portVariable = "BATCH_OPS_PORT";
  stack.use(await openOpsServer({ ...config.ops, portVariable, metrics, checks, logger }));
});
