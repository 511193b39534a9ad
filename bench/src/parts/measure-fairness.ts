import { mkdir, writeFile } from "node:fs/promises";
import { atLeast, atMost, type Figure } from "../figure.ts";
import { runInArrivalOrder } from "../scheduling/arrival-order.ts";
import { type Bars, barCharts } from "../scheduling/bar-chart.ts";
import { createRandom, spread } from "../scheduling/random.ts";
import { type Arrival, runVirtualGpu, type Served } from "../scheduling/virtual-gpu.ts";
import { withBenchSpace } from "../scheduling/with-bench-space.ts";
import { percentile } from "../statistics.ts";
import type { Part } from "./part.ts";

const slots = 2;
const expectedMs = 1_000;
const lightTenants = Array.from({ length: 9 }, (_, i) => `light-${i}`);
const jobsEach = 10;
const floodJobs = 10_000;

/** Who waits how long, and who gets how much, in a GPU's time; the clock is virtual, the scripts and Redis are real. */
export const measureFairness: Part = async ({ say }) => {
  const waits = await measureFlood(say);
  const shares = await measureShares(say);
  const folder = new URL("../../results/", import.meta.url);
  await mkdir(folder, { recursive: true });
  await writeFile(new URL("fairness.svg", folder), barCharts([...waits.charts, ...shares.charts]));
  return [...waits.figures, ...shares.figures];
};

type Measured = { figures: Figure[]; charts: Bars[] };

function job(random: () => number, fields: Partial<Arrival> & { tenant: string }): Arrival {
  return { atMs: 0, expectedMs, trueMs: expectedMs * spread(random), ...fields };
}

async function measureFlood(say: (text: string) => void): Promise<Measured> {
  const random = createRandom(1);
  const light = lightTenants.flatMap((tenant) =>
    Array.from({ length: jobsEach }, () => job(random, { tenant, atMs: 1 })),
  );
  const flood = (user?: (index: number) => string): Arrival[] =>
    Array.from({ length: floodJobs }, (_, i) => job(random, { tenant: "flood", user: user?.(i) }));
  const serve = (arrivals: Arrival[]): Promise<Served[]> =>
    withBenchSpace((space) =>
      runVirtualGpu(space, arrivals, { slots, until: (served) => lightOf(served).length === light.length }),
    );
  const wait = (served: readonly Served[]): number =>
    percentile(
      lightOf(served).map(({ startMs, atMs }) => startMs - atMs),
      0.95,
    ) / 1_000;
  const alone = wait(await serve(light));
  say(`without the flood ${alone.toFixed(1)} s`);
  const flooded = wait(await serve([...flood(), ...light]));
  say(`with it ${flooded.toFixed(1)} s`);
  const split = wait(await serve([...flood((i) => `user-${i % 1_000}`), ...light]));
  say(`split over 1,000 users ${split.toFixed(1)} s`);
  const plain = wait(runInArrivalOrder([...flood(), ...light], slots));
  const figure = (name: string, seconds: number): Figure => ({
    name,
    unit: "s",
    forebay: seconds,
    baseline: plain,
    judged: { value: seconds / alone, target: atMost(2) },
  });
  return {
    figures: [
      { name: "p95 wait of nine tenants with ten jobs each", unit: "s", forebay: alone },
      figure("the same under a tenant's flood of 10,000", flooded),
      figure("the same, the flood split over 1,000 users", split),
    ],
    charts: [
      {
        title: "p95 wait of nine tenants with ten jobs each",
        unit: "s",
        bars: [
          { label: "without a flood", value: alone },
          { label: "10,000 jobs of another tenant", value: flooded },
          { label: "the same split over 1,000 users", value: split },
          { label: "the flood in arrival order", value: plain, plain: true },
        ],
      },
    ],
  };
}

const lightOf = (served: readonly Served[]): Served[] =>
  served.filter(({ tenant }) => tenant.startsWith("light"));

async function measureShares(say: (text: string) => void): Promise<Measured> {
  const equal = await sharesOf(
    Array.from({ length: 10 }, (_, i) => ({ tenant: `t${i}`, size: 0.5 + i * 0.15 })),
  );
  const jain = jainIndex(Object.values(equal));
  say(`Jain ${jain.toFixed(3)}`);
  const weighted = await sharesOf([1, 2, 4].map((weight) => ({ tenant: `weight-${weight}`, weight })));
  const off = Math.max(
    ...[1, 2, 4].map((weight) => Math.abs((weighted[`weight-${weight}`] ?? 0) / (weight / 7) - 1)),
  );
  const lanes = await sharesOf([
    { tenant: "interactive", lane: "interactive" },
    { tenant: "batch", lane: "batch" },
  ]);
  const batch = (lanes["batch"] ?? 0) * 17;
  const percent = (shares: Record<string, number>) =>
    Object.entries(shares).map(([label, share]) => ({ label, value: share * 100 }));
  return {
    figures: [
      {
        name: "Jain index of GPU time, ten equal tenants whose jobs differ threefold in size",
        unit: "",
        forebay: jain,
        judged: { value: jain, target: atLeast(0.95, "") },
      },
      {
        name: "shares by weights 1, 2, 4: furthest off",
        unit: "%",
        forebay: off * 100,
        judged: { value: off * 100, target: atMost(5, "%") },
        details: weighted,
      },
      {
        name: "batch under constant interactive saturation, of its seventeenth",
        unit: "x",
        forebay: batch,
        judged: { value: batch, target: atLeast(0.95) },
      },
    ],
    charts: [
      { title: "GPU time of ten equal tenants, small jobs to large", unit: "%", bars: percent(equal) },
      { title: "GPU time by weight 1, 2, 4", unit: "%", bars: percent(weighted) },
      { title: "GPU time by lane", unit: "%", bars: percent(lanes) },
    ],
  };
}

type Saturating = {
  tenant: string;
  weight?: number;
  lane?: Arrival["lane"] /** Of its jobs in truth; nobody expects it. */;
  size?: number;
};

/** Of the GPU's time, while all of them want more than they get. */
async function sharesOf(tenants: readonly Saturating[]): Promise<Record<string, number>> {
  const random = createRandom(2);
  const untilMs = 600_000;
  // So many that one alone could use it all.
  const enough = (1.1 * slots * untilMs) / expectedMs;
  const arrivals = tenants.flatMap(({ size = 1, ...who }) =>
    Array.from({ length: enough }, () => {
      const one = job(random, who);
      return { ...one, trueMs: one.trueMs * size };
    }),
  );
  const served = await withBenchSpace((space) => runVirtualGpu(space, arrivals, { slots, untilMs }));
  const used = (name: string): number =>
    served.filter(({ tenant }) => tenant === name).reduce((sum, { trueMs }) => sum + trueMs, 0);
  const total = served.reduce((sum, { trueMs }) => sum + trueMs, 0);
  return Object.fromEntries(tenants.map(({ tenant }) => [tenant, used(tenant) / total]));
}

function jainIndex(values: readonly number[]): number {
  const sum = values.reduce((total, value) => total + value, 0);
  return sum ** 2 / (values.length * values.reduce((total, value) => total + value ** 2, 0));
}
