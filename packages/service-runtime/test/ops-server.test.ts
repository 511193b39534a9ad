import { afterEach, expect, test } from "vitest";
import {
  createLogger,
  createMetrics,
  type OpsServerOptions,
  openHttpServer,
  openOpsServer,
  PortInUseError,
} from "../src/index.ts";

const logger = createLogger({ service: "test", level: "silent" });
let stack = new AsyncDisposableStack();

afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

async function open(checks: OpsServerOptions["checks"]): Promise<{ url: string; port: number }> {
  const metrics = createMetrics("test");
  return stack.use(await openOpsServer({ host: "127.0.0.1", port: 0, metrics, checks, logger }));
}

test("/healthz answers 200 also when a dependency is away", async () => {
  const { url } = await open({ redis: () => Promise.reject(new Error("away")) });
  const answer = await fetch(`${url}/healthz`);
  expect([answer.status, await answer.json()]).toEqual([200, { status: "ok" }]);
});

test("/readyz answers 200 when every check passes", async () => {
  const { url } = await open({ redis: async () => undefined, ollama: async () => undefined });
  const answer = await fetch(`${url}/readyz`);
  expect([answer.status, await answer.json()]).toEqual([200, { status: "ready" }]);
});

test("/readyz answers 503 with the reason of each failed check, thrown or late", async () => {
  const { url } = await open({
    redis: () => Promise.reject(new Error("connection refused")),
    disk: () => {
      throw new Error("full");
    },
    ollama: () => new Promise(() => undefined),
    fine: async () => undefined,
  });
  const answer = await fetch(`${url}/readyz`);
  expect(answer.status).toBe(503);
  expect(await answer.json()).toEqual({
    status: "not_ready",
    reasons: { redis: "connection refused", disk: "full", ollama: "no answer within 2000 ms" },
  });
});

test("/metrics tells which dependency answers, and is answered when one does not", async () => {
  const { url } = await open({ redis: () => Promise.reject(new Error("away")), disk: async () => undefined });
  const text = await (await fetch(`${url}/metrics`)).text();
  expect(text).toContain('forebay_dependency_up{dependency="redis"} 0');
  expect(text).toContain('forebay_dependency_up{dependency="disk"} 1');
});

test("/metrics answers Prometheus text with Node's metrics and the service's version", async () => {
  const { url } = await open({});
  const answer = await fetch(`${url}/metrics`);
  expect(answer.headers.get("content-type")).toContain("text/plain");
  const text = await answer.text();
  expect(text).toMatch(/^forebay_service_info\{service="test",version="\d+\.\d+\.\d+"\} 1$/m);
  expect(text).toContain("process_resident_memory_bytes");
});

test("any other path answers 404", async () => {
  const { url } = await open({});
  expect((await fetch(`${url}/`)).status).toBe(404);
  expect((await fetch(`${url}/metrics/x`)).status).toBe(404);
});

test("two registries in one process do not meet", async () => {
  const [first, second] = [createMetrics("first"), createMetrics("second")];
  first.counter("things_total", "Things.", ["kind"]).inc({ kind: "a" }, 2);
  second.counter("things_total", "Things.", ["kind"]).inc({ kind: "a" }, 5);
  expect(await first.registry.metrics()).toContain('things_total{kind="a"} 2');
});

test("a taken port is refused with the port and the variable that changes it", async () => {
  const { port } = await open({});
  const options = {
    host: "127.0.0.1",
    port,
    portVariable: "API_OPS_PORT",
    metrics: createMetrics("test"),
    checks: {},
    logger,
  };
  const refusal = openOpsServer(options);
  await expect(refusal).rejects.toThrow(PortInUseError);
  await expect(refusal).rejects.toThrow(new RegExp(`${port}.*API_OPS_PORT`));
});

test("disposing waits for a request under way and then refuses connections", async () => {
  const arrived = Promise.withResolvers<void>();
  const answering = Promise.withResolvers<Response>();
  const server = await openHttpServer({
    host: "127.0.0.1",
    port: 0,
    fetch: () => {
      arrived.resolve();
      return answering.promise;
    },
  });
  const underWay = fetch(server.url);
  await arrived.promise;
  const disposed = server[Symbol.asyncDispose]();
  answering.resolve(new Response("done"));
  expect(await (await underWay).text()).toBe("done");
  await disposed;
  await expect(fetch(server.url)).rejects.toThrow();
});

test("disposing cuts off a request that outlives the drain time", async () => {
  const arrived = Promise.withResolvers<void>();
  const server = await openHttpServer({
    host: "127.0.0.1",
    port: 0,
    drainMs: 20,
    fetch: () => {
      arrived.resolve();
      return new Promise(() => undefined);
    },
  });
  const underWay = expect(fetch(server.url)).rejects.toThrow();
  await arrived.promise;
  await server[Symbol.asyncDispose]();
  await underWay;
});
