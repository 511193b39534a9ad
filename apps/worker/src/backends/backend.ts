import type { BreakerSignal } from "../failures/classification.ts";
import { openOllamaClient, type OllamaClient } from "../ollama/ollama-client.ts";
import { afterFailure, afterSuccess, type BreakerState, closedBreaker, isOpen } from "./breaker.ts";
import { breakerRules } from "./breaker-rules.ts";
import { discoverBackend, type DiscoveredModel } from "./discover-backend.ts";

const throttleMs = 30_000;

/** One Ollama host: what it has, how it is, and how many calls of ours it holds. */
export type Backend = {
  readonly name: string;
  readonly client: OllamaClient;
  readonly up: boolean;
  readonly version: string | undefined;
  readonly models: readonly DiscoveredModel[];
  /** Parallel calls per model it is given now. */ readonly slots: number;
  busy(model: string): number;
  /** Whether a call for this model may go there now: it is up, has the model, and no breaker is open. */
  serves(model: string, now: number): boolean;
  take(model: string): void;
  release(model: string): void;
  recordSuccess(model: string): void;
  recordFailure(model: string, signal: BreakerSignal, now: number): void;
  /** Gives it half as much for a while: it said that it is full. */
  throttle(now: number): void;
  /** Looks at the host again. `changed`: it went up or down, or this was the first look. */
  refresh(): Promise<{ changed: boolean; error?: unknown }>;
};

export function openBackend(settings: { name: string; url: string; slots: number }): Backend {
  const client = openOllamaClient(settings.url);
  const busy = new Map<string, number>();
  const modelBreakers = new Map<string, BreakerState>();
  let hostBreaker = closedBreaker;
  let throttledUntil = 0;
  let up = false;
  let seenUp: boolean | undefined;
  let version: string | undefined;
  let models: readonly DiscoveredModel[] = [];

  return {
    name: settings.name,
    client,
    get up() {
      return up;
    },
    get version() {
      return version;
    },
    get models() {
      return models;
    },
    get slots() {
      return Date.now() < throttledUntil ? Math.ceil(settings.slots / 2) : settings.slots;
    },
    busy: (model) => busy.get(model) ?? 0,
    serves(model, now) {
      if (!up || isOpen(hostBreaker, now) || isOpen(modelBreakers.get(model) ?? closedBreaker, now))
        return false;
      return models.some(({ name }) => name === model);
    },
    take: (model) => void busy.set(model, (busy.get(model) ?? 0) + 1),
    release: (model) => void busy.set(model, Math.max(0, (busy.get(model) ?? 0) - 1)),
    recordSuccess(model) {
      hostBreaker = afterSuccess(hostBreaker);
      modelBreakers.delete(model);
    },
    recordFailure(model, signal, now) {
      if (signal === "none") return;
      if (signal === "down") up = false;
      const { scope, rule } = breakerRules[signal];
      if (scope === "backend") hostBreaker = afterFailure(hostBreaker, rule, now);
      else modelBreakers.set(model, afterFailure(modelBreakers.get(model) ?? closedBreaker, rule, now));
    },
    throttle(now) {
      throttledUntil = now + throttleMs;
    },
    async refresh() {
      let error: unknown;
      try {
        ({ version, models } = await discoverBackend(client));
        up = true;
      } catch (caught) {
        // Its models stay known: their queues are kept open, and paused, until it is back.
        error = caught;
        up = false;
      }
      const changed = up !== seenUp;
      seenUp = up;
      return { changed, error };
    },
  };
}
