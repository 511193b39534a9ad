import type { BreakerSignal } from "../failures/classification.ts";
import type { BreakerRule } from "./breaker.ts";

const minute = 60_000;

/** Which breaker a failure belongs to and when it opens; numbers from the failure table. */
export const breakerRules: Readonly<
  Record<Exclude<BreakerSignal, "none">, { scope: "backend" | "model"; rule: BreakerRule }>
> = {
  // Nobody listens: no call can succeed before a probe does.
  down: { scope: "backend", rule: { failures: 1, withinMs: minute, openMs: 1_000, openMaxMs: 30_000 } },
  // A restart cuts all connections at once, so one broken call is not yet a sick host.
  reset: { scope: "backend", rule: { failures: 3, withinMs: 30_000, openMs: 2_000, openMaxMs: 30_000 } },
  // Loads that stall or run out of memory, and cloud models that refuse.
  model: {
    scope: "model",
    rule: { failures: 2, withinMs: 5 * minute, openMs: 30_000, openMaxMs: 5 * minute },
  },
  crash: {
    scope: "model",
    rule: { failures: 3, withinMs: 5 * minute, openMs: 30_000, openMaxMs: 5 * minute },
  },
  // It took minutes to notice: the next job should not wait as long for the same silence.
  stuck: { scope: "model", rule: { failures: 1, withinMs: minute, openMs: minute, openMaxMs: 10 * minute } },
};
