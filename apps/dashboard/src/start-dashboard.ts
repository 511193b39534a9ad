import { randomBytes } from "node:crypto";
import { createKeyring, createKeyStore } from "@forebay/access-keys";
import { createQueueDirectory, openQueueSpace, type Redis } from "@forebay/queue-bullmq";
import { type HttpServer, isLoopbackHost, openHttpServer } from "@forebay/service-runtime";
import { checkExposure } from "./access/check-exposure.ts";
import { createGate } from "./access/gate.ts";
import { createSessions } from "./access/sessions.ts";
import { createApp } from "./app.ts";
import { createBoard } from "./board/create-board.ts";
import { watchQueues } from "./board/watch-queues.ts";
import type { DashboardConfig } from "./config.ts";
import type { DashboardEvents } from "./events.ts";

const directoryIntervalMs = 5_000;

/**
 * Opens the dashboard on a Redis connection; what it opened is on `stack`, last opened first closed.
 * Throws ConfigError when others could reach it and there is no key, PortInUseError.
 */
export async function startDashboard(
  config: DashboardConfig,
  client: Redis,
  events: DashboardEvents,
  stack: AsyncDisposableStack,
): Promise<HttpServer> {
  const { host, port, basePath, readOnly } = config;
  const space = openQueueSpace(client, config.redis.prefix);
  stack.defer(() => space.close());

  const keyring = createKeyring(createKeyStore(space), { file: config.keysPath });
  const open = await keyring.isOpen();
  checkExposure(host, !open);
  if (open) events.startedOpen();
  else if (config.session.secret === undefined) events.madeSessionSecret();
  const secret = config.session.secret ?? randomBytes(32).toString("hex");
  const sessions = createSessions({ secret, ttlMs: config.session.ttlMs });
  const gate = createGate(keyring, sessions, isLoopbackHost(host));

  const directory = createQueueDirectory(space);
  const board = createBoard({ space, directory, basePath, readOnly, events });
  const watching = { intervalMs: directoryIntervalMs, onError: events.syncFailed };
  stack.use(await watchQueues(space, board.sync, watching));

  const sessionTtlMs = config.session.ttlMs;
  const app = createApp({ basePath, readOnly, sessionTtlMs, gate, sessions, board, events });
  const portVariable = "DASHBOARD_PORT";
  return stack.use(await openHttpServer({ host, port, portVariable, fetch: app.fetch, drainMs: 2_000 }));
}
