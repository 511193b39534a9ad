import { atLeast } from "../figure.ts";
import { compareLoads } from "../load/compare-loads.ts";
import type { LoadPlan } from "../load/load-plan.ts";
import type { LoadGenerator } from "../load/open-load-generator.ts";
import { startBaselineServer, startBaselineWorker } from "../systems/start-baseline.ts";
import { startBenchRedis } from "../systems/start-bench-redis.ts";
import { openForebay } from "../systems/start-forebay.ts";
import { jsonHeaders, postPlan } from "./measure-post.ts";
import type { Part } from "./part.ts";

const jobs = 1_000;

/** GET /jobs/{id} per second, of jobs that are completed. */
export const measureGet: Part = async ({ generator, ollama }) => {
  await using redis = await startBenchRedis();
  await using forebay = await openForebay(redis.url);
  await using api = await forebay.startApi();
  await using server = await startBaselineServer(redis.url);

  await ollama.reset();
  const put = async (origin: string, headers: Readonly<Record<string, string>>): Promise<string[]> => {
    const { bodies } = await generator.run({ ...postPlan, origin, headers, requests: jobs });
    const answers = bodies.map((body) => JSON.parse(body) as { id?: string; job_id?: string });
    return answers.map((answer) => `/jobs/${answer.job_id ?? answer.id}`);
  };
  const paths = {
    forebay: await put(api.url, { ...jsonHeaders, ...forebay.headers }),
    baseline: await put(server.url, jsonHeaders),
  };
  {
    await using _ours = await forebay.startWorker(ollama.url, 32);
    await using _theirs = await startBaselineWorker(redis.url, ollama.url, 32);
    // Stopping the workers lets them finish what has arrived.
    await ollama.arrivals(paths.forebay.length + paths.baseline.length);
  }

  const get: Omit<LoadPlan, "origin" | "paths" | "headers"> = {
    method: "GET",
    expectedStatus: 200,
    connections: 32,
  };
  const ours = { ...get, origin: api.url, paths: paths.forebay, headers: forebay.headers };
  const theirs = { ...get, origin: server.url, paths: paths.baseline, headers: {} };
  for (const plan of [ours, theirs]) await requireCompleted(generator, plan);
  const sides = {
    forebay: { plan: ours, pid: api.pid, redisPid: redis.pid },
    baseline: { plan: theirs, pid: server.pid, redisPid: redis.pid },
  };
  const compared = await compareLoads(generator, sides, 4, 3_000);
  return [
    { ...compared.figure("GET /jobs/{id}", "perSecond", atLeast(1.5)), details: compared.rounds },
    compared.figure("GET /jobs/{id}, CPU of the server", "serverCpuMs"),
    compared.figure("GET /jobs/{id}, CPU of the server and Redis", "systemCpuMs"),
    compared.figure("GET /jobs/{id}, p99", "p99Ms"),
  ];
};

async function requireCompleted(generator: LoadGenerator, plan: LoadPlan): Promise<void> {
  const { bodies } = await generator.run({ ...plan, requests: jobs });
  const unfinished = bodies.find((body) => (JSON.parse(body) as { state: string }).state !== "completed");
  if (unfinished !== undefined) throw new Error(`not completed: ${unfinished}`);
}
