import { createRandom, spread } from "./random.ts";

/** Of what can be done: it idles, is flooded, works that off, is nearly full. */
export const changingLoads = [0.6, 1.4, 0.5, 0.95, 1.2, 0.4];
const lanes = ["interactive", "standard", "standard", "standard", "batch"] as const;
export const changingTenants = 6;
const seed = 3;

type Coming = {
  readonly atMs: number;
  /** Of `changingLoads`. */ readonly phase: number;
  readonly tenant: number;
  readonly lane: (typeof lanes)[number];
  /** How long it is, beside the mean. */ readonly length: number;
};

/** Jobs that come at random, each load for `phaseMs`; the same in every run. `perS`: as many as can be done. */
export function changingLoad(phaseMs: number, perS: number): Coming[] {
  const random = createRandom(seed);
  const coming: Coming[] = [];
  for (let atMs = 0, phase = 0; phase < changingLoads.length; phase = Math.floor(atMs / phaseMs)) {
    const load = changingLoads[phase] ?? 1;
    atMs += (-Math.log(1 - random()) * 1_000) / (load * perS);
    const lane = lanes[Math.floor(random() * lanes.length)] ?? "standard";
    const tenant = Math.floor(random() * changingTenants);
    coming.push({ atMs, phase, tenant, lane, length: spread(random) });
  }
  return coming;
}
