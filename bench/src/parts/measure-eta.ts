import { mkdir, writeFile } from "node:fs/promises";
import { readBacklog } from "@forebay/queue-bullmq";
import { inferenceQueueName } from "@forebay/queue-contracts";
import {
  estimateStartMs,
  etaRangeMs,
  learnFactors,
  modelCosts,
  priorFactors,
  type Workload,
} from "@forebay/scheduling";
import { atLeast, atMost, type Figure } from "../figure.ts";
import { type Bars, barCharts } from "../scheduling/bar-chart.ts";
import { changingLoad, changingLoads } from "../scheduling/changing-load.ts";
import { type Arrival, model, runVirtualGpu } from "../scheduling/virtual-gpu.ts";
import { withBenchSpace } from "../scheduling/with-bench-space.ts";
import type { Part } from "./part.ts";

const slots = 2;
const expectedMs = 1_000;
const phaseMs = 300_000;

type Told = { plainMs: number; waitMs: number; lowMs: number; highMs: number; atMs: number };
type Truth = Told & { tookMs: number; phase: number };

/** How often a job began within the range that was told when it was put, over a load that changes. */
export const measureEta: Part = async () => {
  const truths = await withBenchSpace(async (space) => {
    const told = new Map<string, Told>();
    const seen: Truth[] = [];
    let factors = priorFactors;
    let nowMs = 0;
    const entry = { name: inferenceQueueName({ model, runner: {} }), model };
    await runVirtualGpu(
      space,
      arrivals(),
      { slots },
      {
        async onPut({ atMs }, { id, ahead, tag }, running) {
          nowMs = atMs;
          const queues = await readBacklog(space, [entry]);
          const load: Workload = {
            queues: queues.map((queue) => ({ ...queue, running })),
            backends: [{ name: "gpu", models: [{ name: model, slots, loaded: true }] }],
            costs: () => modelCosts(),
          };
          const plainMs = estimateStartMs({ queueName: entry.name, model, tag, ahead }, load) ?? 0;
          told.set(id, { plainMs, ...etaRangeMs(plainMs, factors), atMs: nowMs });
        },
        onStart(id, startMs) {
          const was = told.get(id);
          if (!was) return;
          const tookMs = startMs - was.atMs;
          factors = learnFactors(factors, was.plainMs, tookMs);
          seen.push({ ...was, tookMs, phase: Math.floor(was.atMs / phaseMs) });
        },
      },
    );
    return seen;
  });
  const held = (some: readonly Truth[]): number =>
    (100 *
      some.filter(({ tookMs, lowMs, highMs }) => tookMs >= lowMs - 100 && tookMs <= highMs + 100).length) /
    some.length;
  const waited = truths.filter(({ tookMs, waitMs }) => tookMs > 1_000 || waitMs > 1_000);
  const all = held(waited);
  const phases: Bars = {
    title: `Starts within the range that was told, of ${waited.length} that waited`,
    unit: "%",
    bars: [
      ...changingLoads.map((load, phase) => ({
        label: `put at ${Math.round(load * 100)} % load`,
        value: held(waited.filter((truth) => truth.phase === phase)),
      })),
      { label: "all", value: all },
    ],
  };
  const folder = new URL("../../results/", import.meta.url);
  await mkdir(folder, { recursive: true });
  await writeFile(new URL("eta.svg", folder), barCharts([phases]));
  const name = "starts within the range told, over a load of 40 to 140 %";
  const figure = { unit: "%", forebay: all };
  const figures: Figure[] = [
    { name, ...figure, judged: { value: all, target: atLeast(75, "%") }, details: phases.bars },
    { name: "and not more often than it says", ...figure, judged: { value: all, target: atMost(85, "%") } },
  ];
  return figures;
};

function arrivals(): Arrival[] {
  return changingLoad(phaseMs, (1_000 * slots) / expectedMs).map(({ atMs, tenant, lane, length }) => ({
    atMs,
    tenant: `tenant-${tenant}`,
    lane,
    expectedMs,
    trueMs: expectedMs * length,
  }));
}
