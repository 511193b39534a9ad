import type { BreakerSignal } from "../failures/classification.ts";
import { afterFailure, type BreakerState, closedBreaker, isOpen } from "./breaker.ts";
import { breakerRules } from "./breaker-rules.ts";

/** Breakers of one host: its own and one for each of its models. */
export type BreakerBook = {
  isOut(model: string, now: number): boolean;
  /** It was out and has not served since: it is given one call, to see. */
  isOnTrial(model: string): boolean;
  succeeded(model: string): void;
  failed(model: string, signal: BreakerSignal, now: number): void;
  /** It showed that it is alive: what opened for silence is closed. */
  revive(model: string): void;
  /** Models that are left alone because they fell silent. */
  silent(): string[];
  /** Nobody listens at the host. */
  unanswered(): void;
  /** The host answers: if nobody listened there before, whatever it did then is over. */
  answered(): void;
};

export function createBreakerBook(): BreakerBook {
  let host = closedBreaker;
  let unreachable = false;
  const models = new Map<string, BreakerState>();
  const silent = new Set<string>();
  const of = (model: string): BreakerState => models.get(model) ?? closedBreaker;
  const close = (model: string): void => {
    models.delete(model);
    silent.delete(model);
  };

  return {
    isOut: (model, now) => isOpen(host, now) || isOpen(of(model), now) || silent.has(model),
    isOnTrial: (model) => host.openings > 0 || of(model).openings > 0,
    succeeded(model) {
      host = closedBreaker;
      close(model);
    },
    failed(model, signal, now) {
      if (signal === "none") return;
      const { scope, rule } = breakerRules[signal];
      unreachable ||= signal === "down";
      if (scope === "backend") host = afterFailure(host, rule, now);
      else models.set(model, afterFailure(of(model), rule, now));
      if (signal === "stuck") silent.add(model);
    },
    revive: close,
    silent: () => [...silent],
    unanswered() {
      unreachable = true;
    },
    answered() {
      if (unreachable) host = closedBreaker;
      unreachable = false;
    },
  };
}
