import type { Figure, Target } from "../figure.ts";
import { median } from "../statistics.ts";
import { readCpuMs } from "../systems/read-cpu-ms.ts";
import type { LoadPlan, LoadResult } from "./load-plan.ts";
import type { LoadGenerator } from "./open-load-generator.ts";

type Sides<T> = { readonly forebay: T; readonly baseline: T };
type Served = { readonly plan: LoadPlan; readonly pid: number; readonly redisPid: number };
type Round = Omit<LoadResult, "bodies"> & {
  /** Processor time of the server per request: says more than the rate where others use the machine too. */
  readonly serverCpuMs: number;
  /** The same of the server and Redis. */ readonly systemCpuMs: number;
};

const units = {
  perSecond: "req/s",
  serverCpuMs: "ms/req",
  systemCpuMs: "ms/req",
  p50Ms: "ms",
  p99Ms: "ms",
} as const satisfies Partial<Record<keyof Round, string>>;

export type Comparison = {
  readonly rounds: Sides<Round[]>;
  /** The medians of both, judged by the median over the pairs of rounds of ours divided by the baseline's. */
  figure(name: string, of: keyof typeof units, target?: Target): Figure & { readonly baseline: number };
};

const warmUpMs = 2_500;

/** Forebay and baseline in turns, so that whatever else the machine does happens to both. */
export async function compareLoads(
  generator: LoadGenerator,
  sides: Sides<Served>,
  rounds: number,
  roundMs: number,
): Promise<Comparison> {
  const results: Sides<Round[]> = { forebay: [], baseline: [] };
  for (const { plan } of [sides.forebay, sides.baseline])
    await generator.run({ ...plan, durationMs: warmUpMs });
  for (let round = 0; round < rounds; round++) {
    for (const side of ["forebay", "baseline"] as const) {
      results[side].push(await runRound(generator, sides[side], roundMs));
    }
  }
  return {
    rounds: results,
    figure(name, of, target) {
      const ratios = results.forebay.map((ours, round) => ours[of] / (results.baseline[round] ?? ours)[of]);
      return {
        name,
        unit: units[of],
        forebay: median(results.forebay.map((round) => round[of])),
        baseline: median(results.baseline.map((round) => round[of])),
        judged: target && { value: median(ratios), target },
      };
    },
  };
}

async function runRound(
  generator: LoadGenerator,
  { plan, pid, redisPid }: Served,
  durationMs: number,
): Promise<Round> {
  const read = (): Promise<[number, number]> => Promise.all([readCpuMs(pid), readCpuMs(redisPid)]);
  const [server, redis] = await read();
  const { bodies: _, ...result } = await generator.run({ ...plan, durationMs });
  const [serverAfter, redisAfter] = await read();
  const serverCpuMs = (serverAfter - server) / result.requests;
  return { ...result, serverCpuMs, systemCpuMs: serverCpuMs + (redisAfter - redis) / result.requests };
}
