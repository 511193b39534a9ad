import type { SwapPace } from "@forebay/scheduling";
import { atMost, type Figure } from "../figure.ts";
import { lowerBoundMs } from "../scheduling/lower-bound.ts";
import { createRandom, spread } from "../scheduling/random.ts";
import { runSwapTrial, type TrialEnd, type TrialHosts, type TrialJob } from "../scheduling/swap-trial.ts";
import type { Part } from "./part.ts";

const host = { hosts: 1, holds: 1, slots: 2, loadMs: 3_000, passedOverMsMax: 60_000 };
const serviceMs = 1_000;
const traces = 10;
const jobs = 300;

type Flow = { readonly name: string; readonly weight: number; readonly models: readonly string[] };
/** `load`: of what two slots of each host can do without a single load. */
type Scene = {
  readonly flows: readonly Flow[];
  readonly load: number;
  readonly jobs: number;
  readonly host?: Partial<TrialHosts>;
};

const modelNames = (count: number): string[] => Array.from({ length: count }, (_, index) => `m${index}`);
const oneTenant = (models: number, load: number): Scene => ({
  flows: [{ name: "one", weight: 4, models: modelNames(models) }],
  load,
  jobs: models * (jobs / 4),
});
const severalTenants = (load: number): Scene => ({
  flows: [1, 2, 4].map((weight) => ({ name: `weight ${weight}`, weight, models: modelNames(4) })),
  load,
  jobs,
});

const scenes: Record<string, Scene> = {
  "4 models, load 0.5": oneTenant(4, 0.5),
  "4 models, load 0.9": oneTenant(4, 0.9),
  "4 models, load 1.75": oneTenant(4, 1.75),
  "4 models, load 1.75, tenants of weight 1, 2, 4": severalTenants(1.75),
  "2 models, load 1.75": oneTenant(2, 1.75),
  "8 models, load 1.75": oneTenant(8, 1.75),
  "20 models, load 1.75": oneTenant(20, 1.75),
  "4 models, load 1.75, loads of 20 s": { ...oneTenant(4, 1.75), host: { loadMs: 20_000 } },
  "4 models on 2 hosts, load 1.75": { ...oneTenant(4, 1.75), jobs: 2 * jobs, host: { hosts: 2 } },
  "8 models on a host that holds 3, load 0.9": { ...oneTenant(8, 0.9), host: { holds: 3 } },
};

const chosen: SwapPace = { stayLoads: 4, turnLoads: 2 };
const paces: Record<string, SwapPace | undefined> = {
  "stay 0, turn 0": { stayLoads: 0, turnLoads: 0 },
  "stay 2, turn 2": { stayLoads: 2, turnLoads: 2 },
  "stay 4, turn 0": { stayLoads: 4, turnLoads: 0 },
  "stay 4, turn 2": chosen,
  "stay 4, turn 4": { stayLoads: 4, turnLoads: 4 },
  "stay 8, turn 2": { stayLoads: 8, turnLoads: 2 },
  "by tags alone": undefined,
};

/** What the rule of swaps does to many traces, and what others than its numbers would do; in virtual time. */
export const measureTrials: Part = async ({ say }) => {
  const figures: Figure[] = [];
  for (const [name, scene] of Object.entries(scenes)) {
    const results = Object.entries(paces).map(([label, pace]) => ({ label, ...tryOut(scene, pace) }));
    say(`${name}: makespan ÷ lower bound, loads, longest passed over (s), mean wait (s)`);
    for (const { label, ratio, loads, passedOverS, waitS } of results) {
      const numbers = [ratio.toFixed(2), loads.toFixed(1), passedOverS.toFixed(0), waitS.toFixed(0)];
      say(`  ${label.padEnd(16)} ${numbers.map((text) => text.padStart(6)).join(" ")}`);
    }
    const [ours, tagsAlone] = [results.find(({ label }) => paces[label] === chosen), results.at(-1)];
    if (!ours || !tagsAlone) throw new Error("a rule is missing");
    figures.push({
      name: `${name}: makespan ÷ lower bound; by tags alone beside it`,
      unit: "x",
      forebay: ours.ratio,
      baseline: tagsAlone.ratio,
      ...(name === "4 models, load 1.75" && { judged: { value: ours.ratio, target: atMost(1.15) } }),
      details: results,
    });
    // Where all that are passed over fit into the bound.
    const fits = Math.max(...scene.flows.map(({ models }) => models.length)) <= 8 && !scene.host?.loadMs;
    figures.push({
      name: `${name}: longest a job was passed over`,
      unit: "s",
      forebay: ours.passedOverS,
      baseline: tagsAlone.passedOverS,
      ...(fits && {
        judged: {
          value: ours.passedOverS,
          target: atMost(ours.passedOverMaxS, "s"),
        },
      }),
    });
  }
  return figures;
};

function tryOut(scene: Scene, pace: SwapPace | undefined) {
  const ends = Array.from({ length: traces }, (_, seed) => {
    const trace = makeTrace(scene, seed + 1);
    const given: TrialHosts = { ...host, ...scene.host, pace };
    const end: TrialEnd = runSwapTrial(trace, given);
    // A bound on loads is known for one host with one model.
    const loadMs = given.hosts * given.holds === 1 ? given.loadMs : 0;
    const boundMs = lowerBoundMs(trace, given.slots * given.hosts, loadMs);
    const longestMs = Math.max(...trace.map(({ trueMs }) => trueMs));
    return { ...end, boundMs, longestMs };
  });
  const mean = (of: (end: (typeof ends)[number]) => number): number =>
    ends.reduce((sum, end) => sum + of(end), 0) / ends.length;
  return {
    ratio: mean(({ makespanMs, boundMs }) => makespanMs / boundMs),
    loads: mean(({ loads }) => loads),
    passedOverS: Math.max(...ends.flatMap(({ passedOverMs }) => passedOverMs)) / 1_000,
    // A job that has begun is not stopped for another one.
    passedOverMaxS: Math.ceil(
      (host.passedOverMsMax + Math.max(...ends.map(({ longestMs }) => longestMs))) / 1_000,
    ),
    waitS: mean(({ waitsMs }) => waitsMs.reduce((sum, ms) => sum + ms, 0) / waitsMs.length) / 1_000,
  };
}

function makeTrace(scene: Scene, seed: number): TrialJob[] {
  const random = createRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  let atMs = 0;
  return Array.from({ length: scene.jobs }, () => {
    atMs += (-Math.log(1 - random()) * serviceMs) / (scene.load * host.slots * (scene.host?.hosts ?? 1));
    const { name: flow, weight, models } = pick(scene.flows);
    const model = pick(models);
    return { atMs, model, flow, weight, expectedMs: serviceMs, trueMs: serviceMs * spread(random) };
  });
}
