import { checkRedis, openServiceRedis } from "@forebay/queue-bullmq";
import {
  createLogger,
  createMetrics,
  exitOnConfigError,
  loadConfig,
  openOpsServer,
  runService,
} from "@forebay/service-runtime";
import { workerConfigSchema } from "./config.ts";
import { createWorkerEvents } from "./events.ts";
import { startWorker } from "./start-worker.ts";

const config = exitOnConfigError(() => loadConfig(workerConfigSchema, process.env));
const logger = createLogger({ service: "worker", level: config.logLevel });

await runService({ name: "worker", graceMs: config.shutdownGraceMs, logger }, async (service) => {
  const { stack } = service;
  const metrics = createMetrics("worker");
  const events = createWorkerEvents(logger, metrics);
  const redis = await openServiceRedis(service, {
    settings: config.redis,
    role: "consumer",
    clientName: "forebay-worker",
    onError: events.redisFailed,
  });
  await startWorker(config, redis, events, stack);
  const checks = { redis: () => checkRedis(redis) };
  const portVariable = "WORKER_OPS_PORT";
  stack.use(await openOpsServer({ ...config.ops, portVariable, metrics, checks, logger }));
});
