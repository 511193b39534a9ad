// The load generator's process: takes plans from its parent, one at a time.
import { Pool } from "undici";
import { percentile } from "../statistics.ts";
import type { LoadPlan, LoadResult } from "./load-plan.ts";

const bodiesKept = 5_000;
// Over all runs of this process, so that no idempotency key comes twice.
let sent = 0;

async function run(plan: LoadPlan): Promise<LoadResult> {
  await using pool = disposable(new Pool(plan.origin, { connections: plan.connections, pipelining: 1 }));
  const latencies: number[] = [];
  const bodies: string[] = [];
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
  const until = startedAt + (plan.durationMs ?? Number.POSITIVE_INFINITY);
  let begun = 0;

  async function connection(): Promise<void> {
    while (begun < (plan.requests ?? Number.POSITIVE_INFINITY) && performance.now() < until) {
      const path = plan.paths[begun++ % plan.paths.length] ?? "/";
      const number = String(sent++);
      const headers = plan.uniqueHeader
        ? { ...plan.headers, [plan.uniqueHeader]: `bench-${number}` }
        : plan.headers;
      const body = plan.body?.replace("#", number) ?? null;
      const at = performance.now();
      const answer = await pool.value.request({ method: plan.method, path, headers, body });
      const text = await answer.body.text();
      latencies.push(performance.now() - at);
      if (answer.statusCode !== plan.expectedStatus) throw new Error(`${answer.statusCode}: ${text}`);
      if (bodies.length < bodiesKept) bodies.push(text);
    }
  }
  await Promise.all(Array.from({ length: plan.connections }, connection));

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

function disposable(pool: Pool): AsyncDisposable & { value: Pool } {
  return { value: pool, [Symbol.asyncDispose]: () => pool.close() };
}

process.on("message", (plan: LoadPlan) => {
  run(plan).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: error instanceof Error ? error.message : String(error) }),
  );
});
