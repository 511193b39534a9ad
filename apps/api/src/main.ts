import { createKeyring, createKeyStore } from "@forebay/access-keys";
import {
  checkRedis,
  closeRedis,
  createQueueDirectory,
  createScheduleStore,
  openLiveHub,
  openQueueSpace,
  openRedis,
  waitForRedis,
} from "@forebay/queue-bullmq";
import {
  createLogger,
  createMetrics,
  exitOnConfigError,
  loadConfig,
  openHttpServer,
  openOpsServer,
  runService,
} from "@forebay/service-runtime";
import { createAdmission } from "./admission/admission.ts";
import { createKnownModels } from "./admission/known-models.ts";
import { createSystemLoad } from "./admission/system-load.ts";
import { createApp } from "./app.ts";
import { isLoopbackHost } from "./auth/loopback.ts";
import { requireKeysInPublic } from "./auth/require-keys-in-public.ts";
import { apiConfigSchema } from "./config.ts";
import { createApiEvents } from "./events.ts";
import { openSseConnections } from "./routes/jobs/events/sse-connections.ts";
import { heartbeatFrame } from "./routes/jobs/events/sse-frames.ts";

const config = exitOnConfigError(() => loadConfig(apiConfigSchema, process.env));
const logger = createLogger({ service: "api", level: config.logLevel });
const redisWaitMs = 15_000;

await runService({ name: "api", graceMs: config.shutdownGraceMs, logger }, async ({ stack }) => {
  const metrics = createMetrics("api");
  const client = openRedis(config.redis, "producer", "forebay-api", (error) =>
    logger.warn({ err: error }, "redis connection"),
  );
  stack.defer(() => closeRedis(client));
  await waitForRedis(client, redisWaitMs);
  const space = openQueueSpace(client, config.redis.prefix);
  stack.defer(() => space.close());
  const directory = createQueueDirectory(space, config.queuesMax);
  const keyring = createKeyring(createKeyStore(space), { file: config.keysPath });
  const openAllowed = isLoopbackHost(config.host);
  await requireKeysInPublic(keyring, config.host, logger);

  const hub = stack.use(openLiveHub(space));
  const streams = stack.use(openSseConnections(heartbeatFrame, config.eventStreams));
  const schedules = createScheduleStore(space);
  const models = createKnownModels(space);
  const admission = createAdmission(space, createSystemLoad(space, directory, models), config.limits);
  const events = createApiEvents(logger, metrics);
  const app = createApp({
    ...config,
    space,
    directory,
    hub,
    streams,
    schedules,
    models,
    admission,
    keyring,
    openAllowed,
    events,
  });

  const checks = { redis: () => checkRedis(client) };
  const ops = { ...config.ops, portVariable: "API_OPS_PORT" };
  stack.use(await openOpsServer({ ...ops, metrics, checks, logger }));
  const { host, port, shutdownGraceMs: drainMs } = config;
  const server = await openHttpServer({ host, port, portVariable: "API_PORT", fetch: app.fetch, drainMs });
  stack.use(server);
  // Before the server waits for its connections: streams end only when told to.
  stack.defer(() => streams.endAll());
  logger.info({ url: server.url }, "api listens");
});
