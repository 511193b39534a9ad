import {
  checkRedis,
  createQueueDirectory,
  createScheduleStore,
  openQueueSpace,
  openServiceRedis,
  openTickConsumer,
} from "@forebay/queue-bullmq";
import { defaultDeliveryPolicy as policy } from "@forebay/queue-contracts";
import {
  createLogger,
  createMetrics,
  exitOnConfigError,
  loadConfig,
  openOpsServer,
  runService,
  startLoop,
} from "@forebay/service-runtime";
import { assertSchedules } from "./assert-schedules.ts";
import { timekeeperConfigSchema } from "./config.ts";
import { createTimekeeperEvents } from "./events.ts";
import { handleTick } from "./handle-tick.ts";
import { sweepDeadlines } from "./sweep-deadlines.ts";

const config = exitOnConfigError(() => loadConfig(timekeeperConfigSchema, process.env));
const logger = createLogger({ service: "timekeeper", level: config.logLevel });

await runService({ name: "timekeeper", graceMs: 5_000, logger }, async (service) => {
  const { stack } = service;
  const metrics = createMetrics("timekeeper");
  const events = createTimekeeperEvents(logger, metrics);
  const redis = await openServiceRedis(service, {
    settings: config.redis,
    role: "consumer",
    clientName: "forebay-timekeeper",
    onError: events.redisFailed,
  });
  const space = openQueueSpace(redis, config.redis.prefix);
  stack.defer(() => space.close());
  const directory = createQueueDirectory(space);
  const store = createScheduleStore(space);

  stack.use(startLoop(() => sweepDeadlines(space, directory, events), config.sweepMs, events.sweepFailed));
  const assert = () => assertSchedules(store, events, new Date());
  stack.use(startLoop(assert, config.assertMs, events.assertFailed));
  const deps = { space, directory, policy, store, events };
  stack.use(openTickConsumer(space, (tick) => handleTick(deps, tick), events.tickFailed));

  const checks = { redis: () => checkRedis(redis) };
  const ops = { ...config.ops, portVariable: "TIMEKEEPER_OPS_PORT" };
  stack.use(await openOpsServer({ ...ops, metrics, checks, logger }));
});
