// The load generator's process: takes plans from its parent, one at a time.
import { setTimeout as delay } from "node:timers/promises";
import { percentile } from "../statistics.ts";
import { HttpConnection } from "./http-connection.ts";
import type { LoadPlan, LoadResult } from "./load-plan.ts";

const bodiesKept = 5_000;
// Over all runs of this process, so that no idempotency key comes twice.
let sent = 0;

async function run(plan: LoadPlan): Promise<LoadResult> {
  const opening = Array.from({ length: plan.connections }, () => HttpConnection.open(plan.origin));
  const connections = await Promise.all(opening);
  const requestsMax = plan.requests ?? Number.POSITIVE_INFINITY;
  const latencies: number[] = [];
  const bodies: string[] = [];
  const startedAt = performance.now();
  const until = startedAt + (plan.durationMs ?? Number.POSITIVE_INFINITY);
  const cpuBefore = process.cpuUsage();
  let begun = 0;

  async function drive(connection: HttpConnection, index: number): Promise<void> {
    if (plan.spreadMs) await delay((index * plan.spreadMs) / plan.connections);
    while (begun < requestsMax && performance.now() < until) {
      const request = formatRequest(plan, begun++);
      const at = performance.now();
      const { status, body } = await connection.send(request);
      latencies.push(performance.now() - at);
      if (status !== plan.expectedStatus) throw new Error(`${status}: ${body}`);
      if (bodies.length < bodiesKept) bodies.push(body);
    }
  }
  try {
    await Promise.all(connections.map(drive));
  } finally {
    for (const connection of connections) connection.close();
  }

  const elapsedMs = performance.now() - startedAt;
  const cpu = process.cpuUsage(cpuBefore);
  return {
    requests: latencies.length,
    perSecond: (latencies.length / elapsedMs) * 1_000,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    generatorCpu: (cpu.user + cpu.system) / 1_000 / elapsedMs,
    bodies,
  };
}

function formatRequest(plan: LoadPlan, index: number): string {
  const number = String(sent++);
  const path = plan.paths[index % plan.paths.length] ?? "/";
  const body = plan.body?.replace("#", number) ?? "";
  const fields = Object.entries(plan.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const unique = plan.uniqueHeader === undefined ? "" : `${plan.uniqueHeader}: bench-${number}\r\n`;
  const length = body === "" ? "" : `content-length: ${Buffer.byteLength(body)}\r\n`;
  return `${plan.method} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${fields.join("")}${unique}${length}\r\n${body}`;
}

process.on("message", (plan: LoadPlan) => {
  run(plan).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: error instanceof Error ? error.message : String(error) }),
  );
});
