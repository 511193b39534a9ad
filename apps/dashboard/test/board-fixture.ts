import { createKeyStore, type KeyStore, type NewKey, type Role } from "@forebay/access-keys";
import { closeRedis, openQueueSpace, openRedis, type QueueSpace, waitForRedis } from "@forebay/queue-bullmq";
import { createLogger, createMetrics } from "@forebay/service-runtime";
import { inject } from "vitest";
import { type DashboardConfig, dashboardConfigSchema } from "../src/config.ts";
import { createDashboardEvents } from "../src/events.ts";
import { startDashboard } from "../src/start-dashboard.ts";
import { createVisitor, type Visitor } from "./visitor.ts";

export type BoardFixture = AsyncDisposable & {
  /** With the base path, without a slash at its end. */
  readonly url: string;
  readonly port: number;
  readonly space: QueueSpace;
  readonly keys: KeyStore;
  makeKey(role: Role): Promise<NewKey>;
  /** Somebody with no cookie yet. */
  visitor(): Visitor;
  /** Somebody logged in with a new key of this role. */
  loggedIn(role: Role): Promise<Visitor>;
};

let boards = 0;

/** A dashboard on a free port and a key prefix of its own; its keys in Redis go when it is disposed. */
export async function startBoard(
  env: Readonly<Record<string, string>> = {},
  options: { withKey?: boolean } = {},
): Promise<BoardFixture> {
  await using opened = new AsyncDisposableStack();
  const prefix = `board-${process.pid}-${++boards}`;
  const config: DashboardConfig = dashboardConfigSchema.parse({
    REDIS_URL: inject("redisUrl"),
    FOREBAY_KEY_PREFIX: prefix,
    DASHBOARD_PORT: "0",
    ...env,
  });
  const client = openRedis(config.redis, "producer", "dashboard", () => undefined);
  opened.defer(() => closeRedis(client));
  await waitForRedis(client, 5_000);
  const space = await openTestSpace(config.redis, opened, prefix);
  const keys = createKeyStore(space);
  const makeKey = (role: Role) => keys.create({ name: `the-${role}`, tenant: "platform", role });
  if (options.withKey ?? true) await makeKey("client");

  const events = createDashboardEvents(
    createLogger({ service: "dashboard", level: "silent" }),
    createMetrics("dashboard"),
  );
  const server = await startDashboard(config, client, events, opened);
  const url = `${server.url}${config.basePath}`;
  const visitor = () => createVisitor(url);
  const stack = opened.move();
  return {
    url,
    port: server.port,
    space,
    keys,
    makeKey,
    visitor,
    async loggedIn(role) {
      const somebody = visitor();
      await somebody.logIn((await makeKey(role)).key);
      return somebody;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** For what the test itself does, worker's work included; removes the keys under `ownPrefix` at the end. */
async function openTestSpace(
  redis: DashboardConfig["redis"],
  opened: AsyncDisposableStack,
  ownPrefix: string,
): Promise<QueueSpace> {
  const client = openRedis(redis, "consumer", "dashboard-test", () => undefined);
  opened.defer(() => closeRedis(client));
  await waitForRedis(client, 5_000);
  const space = openQueueSpace(client, redis.prefix);
  opened.defer(async () => {
    await space.close();
    const keys = await client.keys(`${ownPrefix}:*`);
    if (keys.length > 0) await client.del(keys);
  });
  return space;
}
