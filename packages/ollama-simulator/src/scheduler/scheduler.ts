import { type Clock, waitFor } from "../clock.ts";
import type { ModelCard } from "../models/model-card.ts";
import { chooseVictim } from "./choose-victim.ts";
import { type Lease, LoadedRunners } from "./loaded-runners.ts";
import { needsReload } from "./needs-reload.ts";
import { Runner } from "./runner.ts";
import type { LoadFault, RunnerRequest } from "./runner-request.ts";

export type SchedulerLimits = {
  numParallel: number;
  maxLoaded: number;
  maxQueue: number;
  loadMs: number;
  unloadMs: number;
  keepAliveMs: number;
  contextLength: number;
};

/** Into free room, instead of another model, or of itself with other options. */
export type LoadReason = "cold" | "swap" | "reload";

export type SchedulerEvents = {
  loaded(model: ModelCard, reason: LoadReason): void;
  loadAborted(model: ModelCard): void;
  unloaded(model: ModelCard): void;
};

export class QueueFullError extends Error {
  constructor() {
    // The two spaces are Ollama's.
    super("server busy, please try again.  maximum pending requests exceeded");
  }
}

type Pending = {
  request: RunnerRequest;
  signal: AbortSignal;
  resolve: (lease: Lease) => void;
  reject: (reason: unknown) => void;
};

/**
 * Ollama's two queues. A request for a loaded model gets its runner at once and waits, without limit,
 * for a slot. Any other goes through the pending queue, which one loop empties in order: it loads one
 * model at a time and waits for a busy victim, and everything behind it waits as well.
 */
export class Scheduler {
  readonly #clock: Clock;
  readonly #limits: SchedulerLimits;
  readonly #events: SchedulerEvents;
  readonly #loaded: LoadedRunners;
  readonly #pending: Pending[] = [];
  #placing: Pending | undefined;
  /** From one start of the server to its crash. */
  #life = new AbortController();

  constructor(clock: Clock, limits: SchedulerLimits, events: SchedulerEvents) {
    this.#clock = clock;
    this.#limits = limits;
    this.#events = events;
    this.#loaded = new LoadedRunners(clock, limits.unloadMs, ({ model }) => events.unloaded(model));
  }

  get runners(): readonly Runner[] {
    return this.#loaded.all;
  }

  get pending(): number {
    return this.#pending.length;
  }

  /** The model that is being loaded, or for which room is being made. */
  get loading(): string | undefined {
    return this.#placing?.request.model.name;
  }

  schedule(request: RunnerRequest, signal: AbortSignal): Promise<Lease> {
    const runner = this.#usable(request);
    if (signal.aborted) return Promise.reject(signal.reason);
    if (runner !== undefined) return Promise.resolve(this.#loaded.lease(runner, request.keepAliveMs));
    // What is being placed has left the queue, so that even a queue without places serves one at a time.
    if (this.#placing !== undefined && this.#pending.length >= this.#limits.maxQueue)
      return Promise.reject(new QueueFullError());
    const { promise, resolve, reject } = Promise.withResolvers<Lease>();
    const pending: Pending = { request, signal, resolve, reject };
    // Its place in the queue stays taken until the loop gets to it, as in Ollama.
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    this.#pending.push(pending);
    if (this.#placing === undefined) void this.#placeAll(this.#life.signal);
    return promise;
  }

  /** `keep_alive: 0` without a prompt: unload as soon as nobody uses it. */
  expire(model: ModelCard): void {
    const runner = this.#loaded.find(model.name);
    if (runner !== undefined) this.#loaded.expire(runner);
  }

  /** The model's process dies; the next request loads it anew. */
  crash(runner: Runner, reason: Error): void {
    this.#loaded.crash(runner, reason);
  }

  /** The server dies: nothing is loaded, nobody waits. */
  crashAll(reason: Error): void {
    this.#life.abort(reason);
    this.#life = new AbortController();
    for (const pending of this.#pending.splice(0)) pending.reject(reason);
    this.#placing?.reject(reason);
    this.#placing = undefined;
    this.#loaded.crashAll(reason);
  }

  async #placeAll(life: AbortSignal): Promise<void> {
    while (!life.aborted) {
      const pending = this.#pending.shift();
      this.#placing = pending;
      if (pending === undefined) return;
      if (!pending.signal.aborted) await this.#place(pending, life);
    }
  }

  /**
   * After every unload it looks again. Requests for a busy victim still take the fast path, and an
   * explicit keep_alive among them undoes the eviction: that is Ollama's deadlock (issue 17408).
   */
  async #place(pending: Pending, life: AbortSignal): Promise<void> {
    const { request, signal } = pending;
    let reason: LoadReason = "cold";
    while (!life.aborted) {
      const usable = this.#usable(request);
      if (usable !== undefined) {
        const lease = this.#loaded.lease(usable, request.keepAliveMs);
        // Ollama hands the runner to a client that is gone too, and takes it back at once.
        if (signal.aborted) lease.release();
        return pending.resolve(lease);
      }
      const victim = this.#loaded.find(request.model.name) ?? this.#victimForRoom();
      if (victim === undefined) return await this.#load(pending, reason, life);
      reason = victim.key === request.model.name ? "reload" : "swap";
      const unloaded = this.#loaded.nextUnload();
      this.#loaded.expire(victim);
      await unloaded;
    }
  }

  #usable({ model, options }: RunnerRequest): Runner | undefined {
    const runner = this.#loaded.find(model.name);
    if (runner === undefined || needsReload(runner.options, options, model.contextLength)) return undefined;
    return runner;
  }

  #victimForRoom(): Runner | undefined {
    return this.#loaded.size >= this.#limits.maxLoaded ? chooseVictim(this.#loaded.all) : undefined;
  }

  async #load(pending: Pending, reason: LoadReason, life: AbortSignal): Promise<void> {
    const { request, signal } = pending;
    const aborted = AbortSignal.any([signal, life]);
    try {
      await this.#waitForLoad(request.loadFault, aborted);
    } catch (error) {
      if (aborted.aborted) this.#events.loadAborted(request.model);
      return pending.reject(error);
    }
    this.#events.loaded(request.model, reason);
    const runner = this.#createRunner(request);
    this.#loaded.add(runner);
    pending.resolve(this.#loaded.lease(runner, undefined));
  }

  async #waitForLoad(fault: LoadFault | undefined, aborted: AbortSignal): Promise<void> {
    await waitFor(
      this.#clock,
      fault?.kind === "stall" ? Number.POSITIVE_INFINITY : this.#limits.loadMs,
      aborted,
    );
    if (fault?.kind === "error") throw fault.error;
    aborted.throwIfAborted();
  }

  #createRunner({ model, options, keepAliveMs }: RunnerRequest): Runner {
    const numCtx = Math.min(options.numCtx ?? this.#limits.contextLength, model.contextLength);
    return new Runner({
      model,
      options: options.numCtx === undefined ? options : { ...options, numCtx },
      numCtx,
      slots: model.singleSlot ? 1 : this.#limits.numParallel,
      keepAliveMs: keepAliveMs ?? this.#limits.keepAliveMs,
    });
  }
}
