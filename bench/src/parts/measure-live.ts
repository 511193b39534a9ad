import { fileURLToPath } from "node:url";
import { atMost } from "../figure.ts";
import { openPacedOllama } from "../ollama/open-paced-ollama.ts";
import { percentile } from "../statistics.ts";
import { openChildCalls } from "../streams/child-calls.ts";
import type { LiveTimes } from "../streams/live-caller.ts";
import { startBenchRedis } from "../systems/start-bench-redis.ts";
import { model, openForebay } from "../systems/start-forebay.ts";
import type { Part } from "./part.ts";

const load = { callers: 50, callsEach: 6, tokens: 60, tokensPerS: 30 };
const rounds = 2;

/** What Forebay adds between a caller and a token, at 50 streams at once. */
export const measureLive: Part = async ({ say }) => {
  await using redis = await startBenchRedis();
  await using forebay = await openForebay(redis.url);
  await using ollama = await openPacedOllama();
  await using api = await forebay.startApi();
  await using _worker = await forebay.startWorker(ollama.url, load.callers);
  await using callers = openChildCalls(fileURLToPath(new URL("../streams/live-caller.ts", import.meta.url)));
  const routes = {
    direct: { kind: "direct", origin: ollama.url, headers: {}, model },
    forebay: { kind: "forebay", origin: api.url, headers: forebay.headers, model },
  };
  const times: Record<keyof typeof routes, LiveTimes> = {
    direct: { firstTokenMs: [], delaysMs: [] },
    forebay: { firstTokenMs: [], delaysMs: [] },
  };
  await callers.call("run", routes.forebay, { ...load, callsEach: 1 });
  for (let round = 0; round < rounds; round++) {
    for (const side of ["direct", "forebay"] as const) {
      const { firstTokenMs, delaysMs } = await callers.call<LiveTimes>("run", routes[side], load);
      times[side].firstTokenMs.push(...firstTokenMs);
      times[side].delaysMs.push(...delaysMs);
    }
    say(`round ${round + 1} of ${rounds}`);
  }
  const first = (side: keyof typeof routes, share: number) => percentile(times[side].firstTokenMs, share);
  const added = (share: number): number => first("forebay", share) - first("direct", share);
  const delay = (share: number): number => percentile(times.forebay.delaysMs, share);
  const details = { directMs: { p50: first("direct", 0.5), p99: first("direct", 0.99) } };
  return [
    {
      name: "time to first token, 50 streams, p50",
      unit: "ms",
      forebay: first("forebay", 0.5),
      judged: { value: added(0.5), target: atMost(8, "ms over direct") },
      details,
    },
    {
      name: "time to first token, 50 streams, p99",
      unit: "ms",
      forebay: first("forebay", 0.99),
      judged: { value: added(0.99), target: atMost(30, "ms over direct") },
    },
    {
      name: "Ollama's token to the reader, p50",
      unit: "ms",
      forebay: delay(0.5),
      judged: { value: delay(0.5), target: atMost(30, "ms") },
      details: { p90: delay(0.9), p99: delay(0.99), directP50: percentile(times.direct.delaysMs, 0.5) },
    },
  ];
};
