import { atMost } from "../figure.ts";
import { compareLoads } from "../load/compare-loads.ts";
import type { LoadPlan } from "../load/load-plan.ts";
import { openPacedOllama, pacedPrompt } from "../ollama/open-paced-ollama.ts";
import { startBenchRedis } from "../systems/start-bench-redis.ts";
import { model, openForebay } from "../systems/start-forebay.ts";
import type { Part } from "./part.ts";
import { jsonHeaders } from "./measure-post.ts";

const inFlight = 32;
/** 20 tokens, 40 a second: half a second for an answer, as short ones take. */
const content = pacedPrompt(20, 40, "#");
const messages = [{ role: "user", content }];

const planOf = (origin: string, path: string, headers: LoadPlan["headers"]): LoadPlan => ({
  origin,
  method: "POST",
  paths: [path],
  headers: { ...jsonHeaders, ...headers },
  body: JSON.stringify({ model, messages, stream: false }),
  expectedStatus: 200,
  connections: inFlight,
  spreadMs: 475,
});

/** What a call that waits for its answer takes longer through the queue than asked of Ollama, 32 at a time on 32 slots. */
export const measureOverhead: Part = async ({ generator }) => {
  await using redis = await startBenchRedis();
  await using ollama = await openPacedOllama();
  await using forebay = await openForebay(redis.url);
  await using api = await forebay.startApi();
  await using _worker = await forebay.startWorker(ollama.url, inFlight);
  const ours = planOf(api.url, "/v1/chat/completions", forebay.headers);
  const direct = planOf(ollama.url, "/api/chat", {});
  const pids = { pid: api.pid, redisPid: redis.pid };
  const sides = { forebay: { plan: ours, ...pids }, baseline: { plan: direct, ...pids } };
  const compared = await compareLoads(generator, sides, 4, 4_000);
  const p50 = compared.figure("POST /v1/chat/completions over the direct call, p50", "p50Ms");
  const p99 = compared.figure("POST /v1/chat/completions over the direct call, p99", "p99Ms");
  const added = ({ forebay: through, baseline: straight }: typeof p50): number => through - straight;
  return [
    { ...p50, judged: { value: added(p50), target: atMost(10, "ms") }, details: compared.rounds },
    { ...p99, judged: { value: added(p99), target: atMost(40, "ms") } },
  ];
};
