import type { BreakerSignal } from "../failures/classification.ts";
import { openOllamaClient, type OllamaClient } from "../ollama/ollama-client.ts";
import { createBreakerBook } from "./breaker-book.ts";
import { discoverBackend, type DiscoveredModel, isAlive, readLoaded } from "./discover-backend.ts";
import { isForcedToOne, type LearnedSlots, learnSlots, oneSlot, type SlotSample } from "./learn-slots.ts";
import { createResidency, type Resident, type Residency } from "./residency.ts";

const throttleMs = 30_000;
const probeTimeoutMs = 10_000;

export type BackendSettings = {
  readonly name: string;
  readonly url: string;
  /** Calls of a model at once; undefined: learned. */
  readonly slots: (model: string) => number | undefined;
};

/** One Ollama host: what it has, how it is, and how many calls of ours it holds. */
export type Backend = {
  readonly name: string;
  readonly url: string;
  readonly client: OllamaClient;
  readonly up: boolean;
  readonly version: string | undefined;
  readonly models: readonly DiscoveredModel[];
  readonly residency: Residency;
  /** Takes nothing new: an operator said so. */ draining: boolean;
  /** Calls of a model it is given at once now. */ slots(model: string): number;
  /** Calls of a model, or of all, that it holds. */ busy(model?: string): number;
  has(model: string): boolean;
  /** Whether a call for this model may go there now: it is up, has the model, and no breaker is open. */
  serves(model: string, now: number): boolean;
  take(resident: Resident): void;
  release(resident: Resident): void;
  recordSuccess(model: string): void;
  recordFailure(model: string, signal: BreakerSignal, now: number): void;
  /** How a call went whose answer is whole, to learn what the host is good for. */
  recordSpeed(model: string, sample: SlotSample): void;
  /** How long this model's loads take here. */ loadMs(model: string): number;
  recordLoad(model: string, ms: number): void;
  /** It said that it does not have the model: it is not asked again before it lists it. */ lose(
    model: string,
  ): void;
  /** Gives it half as much for a while: it said that it is full. */ throttle(now: number): void;
  /** Looks at the host again. `changed`: it went up or down, or this was the first look. */
  refresh(): Promise<{ changed: boolean; error?: unknown }>;
  /** Looks at what is in its memory only. */ refreshLoaded(): Promise<void>;
};

/** A load nobody has seen yet: a model of a few gigabytes from a local disk. */
const firstLoadMs = 5_000;
const smoothing = 0.3;

/** @param capabilitiesOf what the model of a digest can do, as far as its card is known */
export function openBackend(
  settings: BackendSettings,
  capabilitiesOf: (digest: string | undefined) => readonly string[],
): Backend {
  const client = openOllamaClient(settings.url);
  const breakers = createBreakerBook();
  const residency = createResidency();
  const busy = new Map<string, number>();
  const learned = new Map<string, LearnedSlots>();
  const loads = new Map<string, number>();
  /** How each model was called last, for a probe that must not make it load again. */
  const calledAs = new Map<string, Resident>();
  let throttledUntil = 0;
  let up = false;
  let seenUp: boolean | undefined;
  let version: string | undefined;
  let models: readonly DiscoveredModel[] = [];

  const slots = (model: string): number => {
    const { families = [], digest } = models.find(({ name }) => name === model) ?? {};
    const forced = isForcedToOne({ families, capabilities: capabilitiesOf(digest) });
    const most = settings.slots(model) ?? (forced ? 1 : (learned.get(model)?.slots ?? 1));
    if (breakers.isOnTrial(model)) return 1;
    return Date.now() < throttledUntil ? Math.ceil(most / 2) : most;
  };

  /** One token tells whether a model that fell silent works again; only if that loads nothing. */
  const probeSilent = async (): Promise<void> => {
    for (const model of breakers.silent()) {
      const as = calledAs.get(model);
      // It is not in memory any more: whatever held it up is gone, and the next job loads it.
      if (!as || !residency.has(as) || (await isAlive(client, as, probeTimeoutMs))) breakers.revive(model);
    }
  };
  let probing: Promise<void> | undefined;

  return {
    name: settings.name,
    url: settings.url,
    client,
    residency,
    draining: false,
    get up() {
      return up;
    },
    get version() {
      return version;
    },
    get models() {
      return models;
    },
    slots,
    busy(model) {
      if (model !== undefined) return busy.get(model) ?? 0;
      return [...busy.values()].reduce((sum, calls) => sum + calls, 0);
    },
    has: (model) => models.some(({ name }) => name === model),
    serves: (model, now) =>
      up && !breakers.isOut(model, now) && models.some(({ name, lost }) => name === model && !lost),
    take(resident) {
      busy.set(resident.model, (busy.get(resident.model) ?? 0) + 1);
      calledAs.set(resident.model, resident);
      residency.begin(resident);
    },
    release(resident) {
      busy.set(resident.model, Math.max(0, (busy.get(resident.model) ?? 0) - 1));
      residency.end(resident);
    },
    recordSuccess: breakers.succeeded,
    recordFailure(model, signal, now) {
      if (signal === "down") {
        up = false;
        residency.forget();
      }
      breakers.failed(model, signal, now);
    },
    recordSpeed(model, sample) {
      if (settings.slots(model) === undefined) {
        learned.set(model, learnSlots(learned.get(model) ?? oneSlot, sample, Date.now()));
      }
    },
    loadMs: (model) => loads.get(model) ?? firstLoadMs,
    recordLoad(model, ms) {
      const known = loads.get(model);
      loads.set(model, known === undefined ? ms : known + smoothing * (ms - known));
    },
    lose(model) {
      models = models.map((each) => (each.name === model ? { ...each, lost: true } : each));
    },
    throttle(now) {
      throttledUntil = now + throttleMs;
    },
    async refresh() {
      let error: unknown;
      const look = residency.look();
      try {
        ({ version, models } = await discoverBackend(client));
        up = true;
        residency.saw(
          models.filter(({ loaded }) => loaded),
          look,
        );
        breakers.answered();
        // Beside it: a model that is still silent is silent for long.
        probing ??= probeSilent().finally(() => (probing = undefined));
      } catch (caught) {
        // Its models stay known: their queues are kept open until it is back.
        error = caught;
        up = false;
        breakers.unanswered();
        residency.forget();
      }
      const changed = up !== seenUp;
      seenUp = up;
      return { changed, error };
    },
    async refreshLoaded() {
      const look = residency.look();
      residency.saw(await readLoaded(client), look);
    },
  };
}
