import { openBlobStore } from "@forebay/blob-store";
import { createKeyring, createKeyStore } from "@forebay/access-keys";
import {
  checkRedis,
  createBatchStore,
  createFileStore,
  createQueueDirectory,
  createScheduleStore,
  openLiveHub,
  openQueueSpace,
  type Redis,
} from "@forebay/queue-bullmq";
import {
  type HttpServer,
  isLoopbackHost,
  type Logger,
  type Metrics,
  openHttpServer,
  openOpsServer,
} from "@forebay/service-runtime";
import { createAdmission } from "./admission/admission.ts";
import { createForecasts } from "./admission/forecasts.ts";
import { createKnownModels } from "./admission/known-models.ts";
import { createSystemLoad } from "./admission/system-load.ts";
import { createApp } from "./app.ts";
import { requireKeysInPublic } from "./auth/require-keys-in-public.ts";
import type { ApiConfig } from "./config.ts";
import { createApiEvents } from "./events.ts";
import { answerBadHttp, answerBadRequest } from "./http/answer-bad-http.ts";
import { createPlaceTeller } from "./routes/jobs/events/place-teller.ts";
import { openSseConnections } from "./routes/jobs/events/sse-connections.ts";
import { heartbeatFrame } from "./routes/jobs/events/sse-frames.ts";

/** Opens the API on a Redis connection; what it opened is on `stack`, last opened first closed. */
export async function startApi(
  config: ApiConfig,
  client: Redis,
  telemetry: { logger: Logger; metrics: Metrics },
  stack: AsyncDisposableStack,
): Promise<{ server: HttpServer; ops: HttpServer }> {
  const { logger, metrics } = telemetry;
  const space = openQueueSpace(client, config.redis.prefix);
  stack.defer(() => space.close());
  const keyring = createKeyring(createKeyStore(space), { file: config.keysPath });
  await requireKeysInPublic(keyring, config.host, logger);

  const directory = createQueueDirectory(space, config.queuesMax);
  const hub = stack.use(openLiveHub(space));
  const models = createKnownModels(space);
  const forecasts = createForecasts(space, directory, models);
  const places = createPlaceTeller({ space, forecasts });
  const onBeat = (): void => void places.tellAll();
  const streams = stack.use(openSseConnections(heartbeatFrame, { ...config.eventStreams, onBeat }));
  const events = createApiEvents(logger, metrics);
  const load = createSystemLoad(space, directory, models);
  const app = createApp({
    ...config,
    space,
    directory,
    hub,
    streams,
    places,
    schedules: createScheduleStore(space),
    files: createFileStore(space),
    batches: createBatchStore(space),
    blobs: stack.use(openBlobStore(config.blobStore)),
    models,
    forecasts,
    admission: createAdmission(space, load, forecasts, config.limits, events.roomAsked),
    keyring,
    openAllowed: isLoopbackHost(config.host),
    events,
  });

  const checks = { redis: () => checkRedis(client) };
  const opsOptions = { ...config.ops, portVariable: "API_OPS_PORT", metrics, checks, logger };
  const ops = stack.use(await openOpsServer(opsOptions));
  const { host, port, shutdownGraceMs: drainMs } = config;
  const options = { host, port, portVariable: "API_PORT", ...app, errorHandler: answerBadRequest };
  const server = stack.use(await openHttpServer({ ...options, drainMs }));
  answerBadHttp(server.server, ({ url = "" }) =>
    url.startsWith("/v1/files") ? config.uploads.bytesMax : config.body.bytesMax,
  );
  // Before the server waits for its connections: streams end only when told to.
  stack.defer(() => streams.endAll());
  logger.info({ url: server.url }, "api listens");
  return { server, ops };
}
