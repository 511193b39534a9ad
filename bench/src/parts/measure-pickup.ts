import { setTimeout as pause } from "node:timers/promises";
import { Pool } from "undici";
import { atMost } from "../figure.ts";
import { sharedNowMs } from "../shared-clock.ts";
import { percentile } from "../statistics.ts";
import { startBaselineServer, startBaselineWorker } from "../systems/start-baseline.ts";
import { startBenchRedis } from "../systems/start-bench-redis.ts";
import { model, openForebay } from "../systems/start-forebay.ts";
import { jsonHeaders } from "./measure-post.ts";
import { type Part, prompt } from "./part.ts";

const calls = 150;
const warmUp = 30;
/** Long enough for everybody to be idle again: the worker waits in a blocking read. */
const pauseMs = 15;

/** From sending a request to an idle system to its first byte at Ollama. */
export const measurePickup: Part = async ({ ollama }) => {
  await using redis = await startBenchRedis();
  await using forebay = await openForebay(redis.url);
  await using api = await forebay.startApi();
  await using _ours = await forebay.startWorker(ollama.url, 1);
  await using server = await startBaselineServer(redis.url);
  await using _theirs = await startBaselineWorker(redis.url, ollama.url, 1);

  const routes = {
    direct: { origin: ollama.url, path: "/api/generate", headers: jsonHeaders },
    forebay: { origin: api.url, path: "/jobs", headers: { ...jsonHeaders, ...forebay.headers } },
    baseline: { origin: server.url, path: "/jobs", headers: jsonHeaders },
  };
  const pools = Object.values(routes).map(({ origin }) => new Pool(origin, { connections: 1 }));
  const times: Record<keyof typeof routes, number[]> = { direct: [], forebay: [], baseline: [] };

  for (let call = -warmUp; call < calls; call++) {
    for (const [index, [name, { path, headers }]] of Object.entries(routes).entries()) {
      await ollama.reset();
      const body = JSON.stringify({ model, prompt: prompt.replace("#", String(call)) });
      const at = sharedNowMs();
      const answered = pools[index]?.request({ method: "POST", path, headers, body });
      const [arrivedAt = Number.NaN] = await ollama.arrivals(1);
      await (await answered)?.body.dump();
      if (call >= 0) times[name as keyof typeof routes].push(arrivedAt - at);
      await pause(pauseMs);
    }
  }
  await Promise.all(pools.map((pool) => pool.close()));
  const p50 = (name: keyof typeof routes): number => percentile(times[name], 0.5);
  return [
    {
      name: "POST to first byte at Ollama, idle, p50",
      unit: "ms",
      forebay: p50("forebay"),
      baseline: p50("baseline"),
      judged: { value: p50("forebay") - p50("direct"), target: atMost(5, "ms over direct") },
      details: {
        directP50Ms: p50("direct"),
        p90: { forebay: percentile(times.forebay, 0.9), baseline: percentile(times.baseline, 0.9) },
      },
    },
  ];
};
