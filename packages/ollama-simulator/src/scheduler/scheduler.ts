import type { Clock } from "../clock.ts";
import type { ModelCard } from "../models/model-card.ts";
import { chooseVictim } from "./choose-victim.ts";
import { needsReload } from "./needs-reload.ts";
import { Runner } from "./runner.ts";
import type { RunnerOptions } from "./runner-options.ts";

export type SchedulerLimits = {
  numParallel: number;
  maxLoaded: number;
  maxQueue: number;
  loadMs: number;
  unloadMs: number;
  keepAliveMs: number;
  contextLength: number;
};

export type RunnerRequest = {
  model: ModelCard;
  options: RunnerOptions;
  keepAliveMs: number | undefined;
  /** What goes wrong if this request causes a load. */
  loadFault: LoadFault | undefined;
};

export type LoadFault = { kind: "stall" } | { kind: "error"; error: Error };

export type SchedulerEvents = {
  loaded(model: ModelCard, reason: "cold" | "swap" | "reload"): void;
  loadAborted(model: ModelCard): void;
  unloaded(model: ModelCard): void;
};

/** A runner in hand: give it back with `release`, whatever happened. */
export type Lease = { runner: Runner; release: () => void };

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
  readonly #loaded = new Map<string, Runner>();
  readonly #pending: Pending[] = [];
  #placing: Pending | undefined;
  readonly #unloadWaiters: (() => void)[] = [];
  /** Timers of models that are gone and whose memory is not free yet. */
  readonly #unloading = new Set<() => void>();
  #generation = new AbortController();

  constructor(clock: Clock, limits: SchedulerLimits, events: SchedulerEvents) {
    this.#clock = clock;
    this.#limits = limits;
    this.#events = events;
  }

  get runners(): readonly Runner[] {
    return [...this.#loaded.values()];
  }

  get pending(): number {
    return this.#pending.length;
  }

  get loading(): string | undefined {
    return this.#placing?.request.model.name;
  }

  schedule(request: RunnerRequest, signal: AbortSignal): Promise<Lease> {
    const runner = this.#usable(request);
    if (signal.aborted) return Promise.reject(signal.reason);
    if (runner !== undefined) return Promise.resolve(this.#lease(runner, request.keepAliveMs));
    // What is being placed has left the queue, so that even a queue without places serves one at a time.
    if (this.#placing !== undefined && this.#pending.length >= this.#limits.maxQueue)
      return Promise.reject(new QueueFullError());
    const { promise, resolve, reject } = Promise.withResolvers<Lease>();
    const pending: Pending = { request, signal, resolve, reject };
    // Its place in the queue stays taken until the loop gets to it, as in Ollama.
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    this.#pending.push(pending);
    if (this.#placing === undefined) void this.#placeAll(this.#generation.signal);
    return promise;
  }

  /** `keep_alive: 0` without a prompt: unload as soon as nobody uses it. */
  expire(model: ModelCard): void {
    const runner = this.#loaded.get(model.name);
    if (runner !== undefined) this.#expire(runner);
  }

  /** The model's process dies; the next request loads it anew. */
  crash(runner: Runner, reason: Error): void {
    runner.crash.abort(reason);
    if (this.#loaded.get(runner.key) === runner) this.#unload(runner);
  }

  /** The server dies: nothing is loaded, nobody waits. */
  crashAll(reason: Error): void {
    this.#generation.abort(reason);
    this.#generation = new AbortController();
    for (const pending of this.#pending.splice(0)) pending.reject(reason);
    this.#placing?.reject(reason);
    this.#placing = undefined;
    for (const runner of this.#loaded.values()) this.crash(runner, reason);
    for (const cancel of this.#unloading) cancel();
    this.#unloading.clear();
    this.#announceUnload();
  }

  async #placeAll(generation: AbortSignal): Promise<void> {
    for (;;) {
      const pending = this.#pending.shift();
      this.#placing = pending;
      if (pending === undefined) return;
      if (!pending.signal.aborted) await this.#place(pending, generation);
      if (generation.aborted) return;
    }
  }

  async #place(pending: Pending, generation: AbortSignal): Promise<void> {
    const { request, signal } = pending;
    let reason: "cold" | "swap" | "reload" = "cold";
    while (!generation.aborted) {
      const usable = this.#usable(request);
      if (usable !== undefined) {
        // Ollama hands the runner to a client that is gone too, and takes it back at once.
        const lease = this.#lease(usable, request.keepAliveMs);
        if (signal.aborted) lease.release();
        else pending.resolve(lease);
        return;
      }
      const victim = this.#loaded.get(request.model.name) ?? this.#victimForRoom();
      if (victim === undefined) {
        await this.#load(pending, reason, generation);
        return;
      }
      reason = victim.key === request.model.name ? "reload" : "swap";
      await this.#evict(victim);
    }
  }

  #usable({ model, options }: RunnerRequest): Runner | undefined {
    const runner = this.#loaded.get(model.name);
    if (runner === undefined || needsReload(runner.options, options, model.contextLength)) return undefined;
    return runner;
  }

  #victimForRoom(): Runner | undefined {
    return this.#loaded.size >= this.#limits.maxLoaded ? chooseVictim(this.#loaded.values()) : undefined;
  }

  /**
   * Resolves with the next unload of any model. Requests for a busy victim still take the fast path, and
   * an explicit keep_alive among them undoes the eviction: that is Ollama's deadlock (issue 17408).
   */
  #evict(victim: Runner): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#unloadWaiters.push(resolve);
    this.#expire(victim);
    return promise;
  }

  async #load(pending: Pending, reason: "cold" | "swap" | "reload", generation: AbortSignal): Promise<void> {
    const { request, signal } = pending;
    const fault = request.loadFault;
    const aborted = AbortSignal.any([signal, generation]);
    try {
      await this.#sleep(fault?.kind === "stall" ? Number.POSITIVE_INFINITY : this.#limits.loadMs, aborted);
      if (fault?.kind === "error") throw fault.error;
      aborted.throwIfAborted();
    } catch (error) {
      if (aborted.aborted) this.#events.loadAborted(request.model);
      pending.reject(error);
      return;
    }
    this.#events.loaded(request.model, reason);
    const runner = this.#createRunner(request);
    this.#loaded.set(runner.key, runner);
    pending.resolve(this.#lease(runner, undefined));
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

  #lease(runner: Runner, keepAliveMs: number | undefined): Lease {
    runner.users++;
    runner.cancelExpiry();
    // Last writer wins, for everybody who uses the model.
    if (keepAliveMs !== undefined) runner.keepAliveMs = keepAliveMs;
    let held = true;
    return {
      runner,
      release: () => {
        if (held) this.#release(runner);
        held = false;
      },
    };
  }

  #release(runner: Runner): void {
    runner.users--;
    if (runner.users > 0 || this.#loaded.get(runner.key) !== runner) return;
    if (runner.keepAliveMs <= 0) {
      this.#unload(runner);
      return;
    }
    runner.expiresAt = this.#clock.now() + runner.keepAliveMs;
    if (runner.keepAliveMs === Number.POSITIVE_INFINITY) return;
    runner.cancelExpiry = this.#clock.after(runner.keepAliveMs, () => this.#unload(runner));
  }

  #expire(runner: Runner): void {
    runner.cancelExpiry();
    runner.keepAliveMs = 0;
    if (runner.users === 0) this.#unload(runner);
  }

  #unload(runner: Runner): void {
    runner.cancelExpiry();
    this.#loaded.delete(runner.key);
    this.#events.unloaded(runner.model);
    if (this.#limits.unloadMs === 0) {
      this.#announceUnload();
      return;
    }
    const cancel = this.#clock.after(this.#limits.unloadMs, () => {
      this.#unloading.delete(cancel);
      this.#announceUnload();
    });
    this.#unloading.add(cancel);
  }

  #announceUnload(): void {
    for (const wake of this.#unloadWaiters.splice(0)) wake();
  }

  #sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      if (ms === 0) {
        resolve();
        return;
      }
      const abort = () => {
        cancel();
        reject(signal.reason);
      };
      const cancel =
        ms === Number.POSITIVE_INFINITY
          ? () => {}
          : this.#clock.after(ms, () => {
              signal.removeEventListener("abort", abort);
              resolve();
            });
      signal.addEventListener("abort", abort, { once: true });
    });
  }
}
