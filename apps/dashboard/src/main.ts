import { checkRedis, closeRedis, openRedis, waitForRedis } from "@forebay/queue-bullmq";
import {
  createLogger,
  createMetrics,
  exitOnConfigError,
  loadConfig,
  openOpsServer,
  runService,
} from "@forebay/service-runtime";
import { dashboardConfigSchema } from "./config.ts";
import { createDashboardEvents } from "./events.ts";
import { startDashboard } from "./start-dashboard.ts";

const config = exitOnConfigError(() => loadConfig(dashboardConfigSchema, process.env));
const logger = createLogger({ service: "dashboard", level: config.logLevel });

await runService({ name: "dashboard", graceMs: 5_000, logger }, async ({ stack }) => {
  const metrics = createMetrics("dashboard");
  const events = createDashboardEvents(logger, metrics);
  const redis = openRedis(config.redis, "producer", "forebay-dashboard", events.redisFailed);
  stack.defer(() => closeRedis(redis));
  await waitForRedis(redis, 30_000);
  const { url } = await startDashboard(config, redis, events, stack);
  logger.info({ url: `${url}${config.basePath}/`, read_only: config.readOnly }, "dashboard listens");
  const checks = { redis: () => checkRedis(redis) };
  const portVariable = "DASHBOARD_OPS_PORT";
  stack.use(await openOpsServer({ ...config.ops, portVariable, metrics, checks, logger }));
});
