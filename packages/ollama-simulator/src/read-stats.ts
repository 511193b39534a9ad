import type { Tally } from "./counters.ts";
import type { World } from "./world.ts";

export type SimulatorStats = Tally & {
  /** How often its version was asked for, as those do who want to know whether it is there. */
  probes: number;
  /** Requests that wait for a load. */
  pending: number;
  /** Requests that wait for a slot. */
  waiting: number;
  loading: string | null;
  loaded: string[];
  models: Record<string, Tally & { waiting: number; slots: number; loaded: boolean; num_ctx: number }>;
};

export function readStats({ counters, scheduler, models }: World): SimulatorStats {
  const runners = new Map(scheduler.runners.map((runner) => [runner.key, runner]));
  const perModel = models.list().map(({ name }) => {
    const runner = runners.get(name);
    const { size = 0, waiting = 0 } = runner?.slots ?? {};
    const state = { waiting, slots: size, loaded: runner !== undefined, num_ctx: runner?.numCtx ?? 0 };
    return [name, { ...counters.model(name), ...state }] as const;
  });
  return {
    ...counters.total,
    probes: counters.probes,
    pending: scheduler.pending,
    waiting: [...runners.values()].reduce((sum, { slots }) => sum + slots.waiting, 0),
    loading: scheduler.loading ?? null,
    loaded: [...runners.keys()],
    models: Object.fromEntries(perModel),
  };
}
