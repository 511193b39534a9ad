import { mkdir, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { createKeyStore } from "@forebay/access-keys";
import { startSimulator } from "@forebay/ollama-simulator";
import { Agent, request } from "undici";
import { atLeast, atMost, type Figure } from "../figure.ts";
import { barCharts } from "../scheduling/bar-chart.ts";
import { changingLoad, changingLoads, changingTenants } from "../scheduling/changing-load.ts";
import { startBenchRedis } from "../systems/start-bench-redis.ts";
import { openForebay } from "../systems/start-forebay.ts";
import type { Part } from "./part.ts";

const models = ["eta-a:1b", "eta-b:1b"];
const slots = 2;
const tokensPerS = 60;
/** A quarter of a second of a slot: a few hundred jobs have to wait. */
const meanTokens = 15;
const capacityPerS = (slots * tokensPerS) / meanTokens;
const phaseMs = 20_000;
const patienceMs = 60_000;
/** What a caller reads is rounded. */
const grainS = 0.1;

type Told = {
  readonly id: string;
  readonly tenant: number;
  readonly phase: number;
  readonly etaS: number;
  readonly lowS: number;
  readonly highS: number;
};
type Truth = Told & { readonly tookS: number };
type Verdicts = {
  readonly jobs: number;
  readonly held: number;
  readonly early: number;
  readonly late: number;
};

type Scene = {
  readonly name: string;
  readonly models: readonly string[];
  /** How much of its time the backend has for jobs. */ readonly working: number;
};
const scenes: readonly Scene[] = [
  { name: "one model", models: models.slice(0, 1), working: 1 },
  { name: "two models, one of them in memory", models, working: 0.6 },
];

/** The load of `measure-eta` in real time, on stacks that have learned nothing yet: callers compare what they read. */
export const measureEtaLive: Part = async ({ say }) => {
  const played = await Promise.all(scenes.map(async (scene) => ({ scene, truths: await play(scene) })));
  await draw(played);
  return played.flatMap(({ scene, truths }) => figuresOf(scene, truths, say));
};

function figuresOf(scene: Scene, truths: readonly Truth[], say: (text: string) => void): Figure[] {
  const all = judge(truths);
  // What a caller can go by is what was said: those that were told a wait are judged, however it came out.
  const told = judge(truths.filter(({ etaS }) => etaS >= 1));
  const waited = judge(truths.filter(({ tookS }) => tookS >= 1));
  say(
    `${scene.name}: ${describe(all)}; told a second or more: ${describe(told)}; waited as long: ${describe(waited)}`,
  );
  const name = `${scene.name}, in real time: starts within the range told`;
  const shown = { unit: "%" };
  return [
    {
      name: `${name}, of ${told.jobs} told to wait a second or more`,
      ...shown,
      forebay: told.held,
      judged: { value: told.held, target: atLeast(75, "%") },
    },
    {
      name: "and not more often than it says",
      ...shown,
      forebay: told.held,
      judged: { value: told.held, target: atMost(85, "%") },
    },
    { name: "of these, earlier than the range", ...shown, forebay: told.early },
    { name: "of these, later than the range", ...shown, forebay: told.late },
    { name: `${name}, of ${waited.jobs} that waited a second or more`, ...shown, forebay: waited.held },
    { name: `${name}, of all ${all.jobs}`, ...shown, forebay: all.held },
  ];
}

/** In percent. */
function judge(truths: readonly Truth[]): Verdicts {
  const share = (some: readonly Truth[]): number => (100 * some.length) / truths.length;
  const early = share(truths.filter(({ tookS, lowS }) => tookS < lowS - grainS));
  const late = share(truths.filter(({ tookS, highS }) => tookS > highS + grainS));
  return { jobs: truths.length, held: 100 - early - late, early, late };
}

const describe = ({ jobs, held, early, late }: Verdicts): string =>
  `${jobs} jobs, ${held.toFixed(1)} % in the range, ${early.toFixed(1)} early, ${late.toFixed(1)} late`;

async function play({ models, working }: Scene): Promise<Truth[]> {
  await using simulator = await startSimulator({
    models,
    maxLoaded: 1,
    tokensPerS,
    numParallel: slots,
    loadMs: 3_000,
  });
  await using redis = await startBenchRedis();
  await using forebay = await openForebay(redis.url);
  await using _worker = await forebay.startWorker(simulator.url, slots, { LOG_LEVEL: "error" });
  await using api = await forebay.startApi({ LOG_LEVEL: "error" });
  const coming = changingLoad(phaseMs, working * capacityPerS);
  const keys = createKeyStore(forebay.space);
  const headers = await Promise.all(
    Array.from({ length: changingTenants }, async (_, i) => {
      const { key } = await keys.create({ name: `t${i}`, tenant: `tenant-${i}` });
      return { "content-type": "application/json", authorization: `Bearer ${key}` };
    }),
  );
  const dispatcher = new Agent({ connections: 64 });
  const post = async (job: (typeof coming)[number], index: number): Promise<Told> => {
    const { tenant, lane, phase, length } = job;
    const model = models[index % models.length];
    const num_predict = Math.max(1, Math.round(meanTokens * length));
    const body = JSON.stringify({ model, lane, prompt: "Why?", options: { num_predict } });
    const as = headers[tenant] ?? {};
    const answer = await request(`${api.url}/jobs`, { method: "POST", body, headers: as, dispatcher });
    const said = (await answer.body.json()) as {
      job_id: string;
      eta_s: number | null;
      eta_range_s: [number, number] | null;
    };
    if (answer.statusCode !== 202 || said.eta_s === null || said.eta_range_s === null)
      throw new Error(`a job was answered with ${answer.statusCode} and told no start`);
    const [lowS, highS] = said.eta_range_s;
    return { id: said.job_id, tenant, phase, etaS: said.eta_s, lowS, highS };
  };
  /** When it began, by Forebay's own record. */
  const follow = async (told: Told, giveUpAt: number): Promise<Truth> => {
    for (;;) {
      const as = headers[told.tenant] ?? {};
      const answer = await request(`${api.url}/jobs/${told.id}?wait=5`, { headers: as, dispatcher });
      const job = (await answer.body.json()) as { created_at: string; started_at?: string | null };
      if (job.started_at)
        return { ...told, tookS: (Date.parse(job.started_at) - Date.parse(job.created_at)) / 1_000 };
      if (performance.now() > giveUpAt) throw new Error("a job did not begin in time");
    }
  };

  try {
    const startedAt = performance.now();
    const posts: Promise<Told>[] = [];
    for (const [index, job] of coming.entries()) {
      const wait = startedAt + job.atMs - performance.now();
      if (wait > 1) await sleep(wait);
      const made = post(job, index);
      // Thrown below, when all are there.
      made.catch(() => undefined);
      posts.push(made);
    }
    const told = await Promise.all(posts);
    const giveUpAt = performance.now() + patienceMs;
    const truths: Truth[] = [];
    for (const each of told) truths.push(await follow(each, giveUpAt));
    return truths;
  } finally {
    await dispatcher.close();
  }
}

async function draw(played: readonly { scene: Scene; truths: readonly Truth[] }[]): Promise<void> {
  const folder = new URL("../../results/", import.meta.url);
  await mkdir(folder, { recursive: true });
  const charts = played.map(({ scene, truths }) => ({
    title: `${scene.name}, in real time: starts within the range told, of all ${truths.length}`,
    unit: "%",
    bars: changingLoads.map((load, phase) => ({
      label: `put at ${Math.round(load * 100)} % load`,
      value: judge(truths.filter((truth) => truth.phase === phase)).held,
    })),
  }));
  await writeFile(new URL("eta-live.svg", folder), barCharts(charts));
}
