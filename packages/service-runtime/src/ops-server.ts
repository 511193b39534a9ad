import { Hono } from "hono";
import type { Logger } from "./logger.ts";
import type { Metrics } from "./metrics.ts";
import { type HttpServer, openHttpServer } from "./open-http-server.ts";

export interface OpsServerOptions {
  host: string;
  port: number;
  /** The environment variable that chooses the port; named when the port is taken. */
  portVariable?: string;
  metrics: Metrics;
  /** What this process needs in order to do its work, by name; a rejection's message is shown as the reason. */
  checks: Readonly<Record<string, () => Promise<void>>>;
  logger: Logger;
}

const checkTimeoutMs = 2_000;

/**
 * The private port of a process: `/healthz` (200 while it can answer at all), `/readyz` (503 with the reasons
 * while a check fails or takes over 2 s), `/metrics`. Never expose it: it has no authentication.
 *
 * @throws {PortInUseError}
 */
export async function openOpsServer(options: OpsServerOptions): Promise<HttpServer> {
  const { host, port, portVariable } = options;
  const server = await openHttpServer({
    host,
    port,
    portVariable,
    fetch: createOpsApp(options).fetch,
    drainMs: 1_000,
  });
  options.logger.debug({ url: server.url }, "ops server listens");
  return server;
}

function createOpsApp({ metrics, checks, logger }: OpsServerOptions): Hono {
  const app = new Hono();
  const dependencyUp = metrics.gauge(
    "forebay_dependency_up",
    "1 while a dependency of this service answers, 0 while it does not; asked at each scrape.",
    ["dependency"],
  );
  app.get("/healthz", (context) => context.json({ status: "ok" }));
  app.get("/readyz", async (context) => {
    const reasons = await findReasons(checks);
    if (Object.keys(reasons).length === 0) return context.json({ status: "ready" });
    return context.json({ status: "not_ready", reasons }, 503);
  });
  app.get("/metrics", async (context) => {
    const reasons = await findReasons(checks);
    for (const dependency of Object.keys(checks)) {
      dependencyUp.set({ dependency }, dependency in reasons ? 0 : 1);
    }
    return context.body(await metrics.registry.metrics(), 200, {
      "content-type": metrics.registry.contentType,
    });
  });
  app.notFound((context) => context.json({ status: "not_found" }, 404));
  app.onError((error, context) => {
    logger.error({ err: error }, "ops request failed");
    return context.json({ status: "error" }, 500);
  });
  return app;
}

async function findReasons(checks: OpsServerOptions["checks"]): Promise<Record<string, string>> {
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => [name, await reasonOf(check)] as const),
  );
  return Object.fromEntries(results.filter((result): result is [string, string] => result[1] !== undefined));
}

async function reasonOf(check: () => Promise<void>): Promise<string | undefined> {
  const timeout = Promise.withResolvers<string>();
  const timer = setTimeout(() => timeout.resolve(`no answer within ${checkTimeoutMs} ms`), checkTimeoutMs);
  try {
    return await Promise.race([check(), timeout.promise]).then((late) => late ?? undefined);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
  }
}
