import { mkdir, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { createKeyStore } from "@forebay/access-keys";
import { startSimulator } from "@forebay/ollama-simulator";
import { Agent, request } from "undici";
import { atLeast, atMost, type Figure } from "../figure.ts";
import { barCharts } from "../scheduling/bar-chart.ts";
import { createRandom, spread } from "../scheduling/random.ts";
import { percentile } from "../statistics.ts";
import { startBenchRedis } from "../systems/start-bench-redis.ts";
import { openForebay } from "../systems/start-forebay.ts";
import type { Part } from "./part.ts";

const model = "busy:1b";
const slots = 2;
const tokensPerS = 600;
/** 100 ms of a slot: 20 jobs a second altogether. */
const meanTokens = 60;
const capacityPerS = (slots * tokensPerS) / meanTokens;
const backlogMaxS = 4;
const tenants = 20;
const stepMs = 30_000;
const patienceMs = 60_000;

type Refusal = {
  readonly status: number;
  readonly afterS: number;
  readonly sound: boolean;
  readonly ms: number;
};
type Step = {
  readonly load: number;
  readonly offered: number;
  readonly accepted: number;
  readonly refused: number;
  /** Callers that came back when they had been told to, while the load was on, and how many were let in. */
  readonly returned: number;
  readonly returnedAccepted: number;
  /** Between being accepted and the end. */ readonly timesMs: readonly number[];
  readonly refusalMs: readonly number[];
  readonly unsound: number;
  /** Accepted and not completed. */ readonly lost: number;
};

/** What those feel who are let in, and those who are not, when more comes than can be done. */
export const measureOverload: Part = async ({ say }) => {
  const steps: Step[] = [];
  for (const load of [1, 2, 10]) {
    const step = await runStep(load);
    say(describe(step));
    steps.push(step);
  }
  const [even, double, flood] = steps as [Step, Step, Step];
  await draw(steps);
  const p99 = ({ timesMs }: Step): number => percentile(timesMs, 0.99);
  const kept = ({ returned, returnedAccepted }: Step): number => (100 * returnedAccepted) / returned;
  const timed = (name: string, step: Step): Figure => ({
    name: `accepted job until its end, p99, at ${name} the load that can be done; at 1 x beside it`,
    unit: "ms",
    forebay: p99(step),
    baseline: p99(even),
    judged: { value: p99(step) / p99(even), target: atMost(1.5) },
    details: { ...step, timesMs: step.timesMs.length, refusalMs: step.refusalMs.length },
  });
  const obeyed = (name: string, step: Step): Figure => ({
    name: `callers that obey Retry-After and are let in then, at ${name}`,
    unit: "%",
    forebay: kept(step),
    judged: { value: kept(step), target: atLeast(95, "%") },
  });
  const lost = steps.reduce((sum, step) => sum + step.lost, 0);
  const unsound = steps.reduce((sum, step) => sum + step.unsound, 0);
  const served = flood.accepted / even.accepted;
  return [
    timed("2 x", double),
    timed("10 x", flood),
    obeyed("2 x", double),
    obeyed("10 x", flood),
    {
      name: "accepted jobs that were lost or not served, of all",
      unit: "jobs",
      forebay: lost,
      judged: { value: lost, target: atMost(0, "jobs") },
    },
    {
      name: "refusals that are no problem+json of 429 or 503 with Retry-After",
      unit: "refusals",
      forebay: unsound,
      judged: { value: unsound, target: atMost(0, "refusals") },
    },
    {
      name: "jobs done at 10 x the load, at 1 x beside it",
      unit: "jobs/s",
      forebay: flood.accepted / (stepMs / 1_000),
      baseline: even.accepted / (stepMs / 1_000),
      judged: { value: served, target: atLeast(0.85) },
    },
    { name: "refusal at 10 x the load, p99", unit: "ms", forebay: percentile(flood.refusalMs, 0.99) },
  ];
};

const describe = (step: Step): string =>
  `${step.load} x: ${step.offered} offered, ${step.accepted} accepted, ${step.refused} refused, ` +
  `${step.returnedAccepted} of ${step.returned} let in when they came back; until the end p50 ${ms(step.timesMs, 0.5)}, ` +
  `p99 ${ms(step.timesMs, 0.99)} ms; refusal p99 ${ms(step.refusalMs, 0.99)} ms; ${step.lost} lost, ${step.unsound} unsound`;
const ms = (values: readonly number[], share: number): string => percentile(values, share).toFixed(0);

/**
 * New callers come at random, `load` times as many as can be served; who is sent away comes back once, when told to, if the
 * load is still on by then.
 */
async function runStep(load: number): Promise<Step> {
  await using simulator = await startSimulator({ models: [model], tokensPerS, numParallel: slots });
  await using redis = await startBenchRedis();
  await using forebay = await openForebay(redis.url);
  const keys = createKeyStore(forebay.space);
  const made = await Promise.all(
    Array.from({ length: tenants }, (_, i) => keys.create({ name: `t${i}`, tenant: `tenant-${i}` })),
  );
  await using _worker = await forebay.startWorker(simulator.url, slots, { LOG_LEVEL: "error" });
  await using api = await forebay.startApi({ API_BACKLOG_MAX_S: String(backlogMaxS), LOG_LEVEL: "error" });
  const dispatcher = new Agent({ connections: 256 });
  const random = createRandom(load);
  const accepted: { id: string; tenant: number }[] = [];
  const refusalMs: number[] = [];
  const tally = { offered: 0, refused: 0, returned: 0, returnedAccepted: 0, unsound: 0 };
  const calls = new Set<Promise<void>>();
  let measuring = false;
  let until = Infinity;

  const post = async (tenant: number, body: string): Promise<Refusal | undefined> => {
    const begunAt = performance.now();
    const authorization = `Bearer ${made[tenant]?.key}`;
    const headers = { "content-type": "application/json", authorization };
    const answer = await request(`${api.url}/jobs`, { method: "POST", body, headers, dispatcher });
    const said = (await answer.body.json()) as { job_id?: string };
    if (answer.statusCode === 202) {
      if (measuring) accepted.push({ id: said.job_id ?? "", tenant });
      return undefined;
    }
    const afterS = Number(answer.headers["retry-after"]);
    const sound =
      [429, 503].includes(answer.statusCode) &&
      afterS >= 1 &&
      String(answer.headers["content-type"]).includes("problem+json");
    return { status: answer.statusCode, afterS, sound, ms: performance.now() - begunAt };
  };
  const call = async (tenant: number, body: string): Promise<void> => {
    const refusal = await post(tenant, body);
    if (!refusal || !measuring) return;
    tally.refused++;
    refusalMs.push(refusal.ms);
    if (!refusal.sound) tally.unsound++;
    const backAt = performance.now() + refusal.afterS * 1_000;
    if (!(backAt < until)) return;
    await sleep(refusal.afterS * 1_000);
    tally.returned++;
    if (!(await post(tenant, body))) tally.returnedAccepted++;
  };
  const begin = (): void => {
    const tenant = Math.floor(random() * tenants);
    const num_predict = Math.max(1, Math.round(meanTokens * spread(random)));
    const prompt = `Request ${tally.offered++}`;
    const body = JSON.stringify({ model, prompt, options: { num_predict } });
    const made = call(tenant, body).finally(() => calls.delete(made));
    calls.add(made);
  };

  try {
    await learn(api.url, made[0]?.key ?? "", dispatcher);
    // Even at a load of one the line is as often full as empty in the long run; the step begins in the middle.
    for (let i = 0; i < (backlogMaxS / 2) * capacityPerS; i++) begin();
    await Promise.all(calls);
    tally.offered = 0;
    measuring = true;
    const startedAt = performance.now();
    until = startedAt + stepMs;
    let nextAt = startedAt;
    while (nextAt < until) {
      nextAt += (-Math.log(1 - random()) / (capacityPerS * load)) * 1_000;
      const wait = nextAt - performance.now();
      if (wait > 1) await sleep(wait);
      begin();
    }
    await Promise.all(calls);
    const timesMs: number[] = [];
    let lost = 0;
    const giveUpAt = performance.now() + patienceMs;
    for (const { id, tenant } of accepted) {
      const took = await readEnd(`${api.url}/jobs/${id}`, made[tenant]?.key ?? "", dispatcher, giveUpAt);
      if (took === undefined) lost++;
      else timesMs.push(took);
    }
    return { load, ...tally, accepted: accepted.length, timesMs, refusalMs, lost };
  } finally {
    await dispatcher.close();
  }
}

/** Until the model's speed is known, without ever filling the line: nobody could say how long one is before. */
async function learn(url: string, key: string, dispatcher: Agent): Promise<void> {
  const headers = { "content-type": "application/json", authorization: `Bearer ${key}`, prefer: "wait=10" };
  const body = JSON.stringify({ model, prompt: "Learn", options: { num_predict: meanTokens } });
  const one = async (): Promise<void> => {
    for (let job = 0; job < 30; job++) {
      const answer = await request(`${url}/jobs`, { method: "POST", body, headers, dispatcher });
      await answer.body.dump();
      if (answer.statusCode !== 200)
        throw new Error(`a job to learn from was answered with ${answer.statusCode}`);
    }
  };
  await Promise.all(Array.from({ length: slots }, one));
  // What was learned is read every few seconds.
  await sleep(6_000);
}

/** From being accepted to the end, by Forebay's own record; undefined: it was not completed. */
async function readEnd(
  url: string,
  key: string,
  dispatcher: Agent,
  giveUpAt: number,
): Promise<number | undefined> {
  const headers = { authorization: `Bearer ${key}` };
  for (;;) {
    const answer = await request(`${url}?wait=5`, { headers, dispatcher });
    const job = (await answer.body.json()) as { state?: string; created_at: string; finished_at?: string };
    if (job.state === "completed") return Date.parse(job.finished_at ?? "") - Date.parse(job.created_at);
    if (!["waiting", "active"].includes(job.state ?? "") || performance.now() > giveUpAt) return undefined;
  }
}

async function draw(steps: readonly Step[]): Promise<void> {
  const folder = new URL("../../results/", import.meta.url);
  await mkdir(folder, { recursive: true });
  const bars = (value: (step: Step) => number) =>
    steps.map((step) => ({ label: `${step.load} x what can be done`, value: value(step) }));
  await writeFile(
    new URL("overload.svg", folder),
    barCharts([
      {
        title: "Accepted job until its end, p99",
        unit: "s",
        bars: bars(({ timesMs }) => percentile(timesMs, 0.99) / 1_000),
      },
      {
        title: "Jobs done a second",
        unit: "",
        bars: bars(({ timesMs }) => timesMs.length / (stepMs / 1_000)),
      },
      {
        title: "Of those sent away, let in when they came back as told",
        unit: "%",
        bars: bars(({ returned, returnedAccepted }) => (100 * returnedAccepted) / Math.max(1, returned)),
      },
    ]),
  );
}
