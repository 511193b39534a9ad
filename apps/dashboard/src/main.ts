import { checkRedis, openServiceRedis } from "@forebay/queue-bullmq";
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

await runService({ name: "dashboard", graceMs: 5_000, logger }, async (service) => {
  const { stack } = service;
  const metrics = createMetrics("dashboard");
  const events = createDashboardEvents(logger, metrics);
  const redis = await openServiceRedis(service, {
    settings: config.redis,
    role: "producer",
    clientName: "forebay-dashboard",
    onError: events.redisFailed,
  });
  const { url } = await startDashboard(config, redis, events, stack);
  logger.info({ url: `${url}${config.basePath}/`, read_only: config.readOnly }, "dashboard listens");
  const checks = { redis: () => checkRedis(redis) };
  const portVariable = "DASHBOARD_OPS_PORT";
  stack.use(await openOpsServer({ ...config.ops, portVariable, metrics, checks, logger }));
});
