import type { Clock } from "../clock.ts";
import type { Runner } from "./runner.ts";

/** A runner in hand: give it back with `release`, whatever happened. */
export type Lease = { runner: Runner; release: () => void };

/** The models in memory: who uses them, how long they stay, when they are gone. */
export class LoadedRunners {
  readonly #clock: Clock;
  readonly #unloadMs: number;
  readonly #onUnload: (runner: Runner) => void;
  readonly #runners = new Map<string, Runner>();
  readonly #waiters: (() => void)[] = [];
  /** Timers of models that are gone and whose memory is not free yet. */
  readonly #freeing = new Set<() => void>();

  constructor(clock: Clock, unloadMs: number, onUnload: (runner: Runner) => void) {
    this.#clock = clock;
    this.#unloadMs = unloadMs;
    this.#onUnload = onUnload;
  }

  get all(): readonly Runner[] {
    return [...this.#runners.values()];
  }

  get size(): number {
    return this.#runners.size;
  }

  find(key: string): Runner | undefined {
    return this.#runners.get(key);
  }

  add(runner: Runner): void {
    this.#runners.set(runner.key, runner);
  }

  lease(runner: Runner, keepAliveMs: number | undefined): Lease {
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

  /** To be unloaded as soon as nobody uses it. */
  expire(runner: Runner): void {
    runner.cancelExpiry();
    runner.keepAliveMs = 0;
    if (runner.users === 0) this.#unload(runner);
  }

  /** Its process dies under those who use it. */
  crash(runner: Runner, reason: Error): void {
    runner.crash.abort(reason);
    if (this.#isLoaded(runner)) this.#unload(runner);
  }

  crashAll(reason: Error): void {
    for (const runner of this.all) this.crash(runner, reason);
    for (const cancel of this.#freeing) cancel();
    this.#freeing.clear();
    this.#announceUnload();
  }

  /** Resolves when the memory of any model is free again. */
  nextUnload(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #isLoaded(runner: Runner): boolean {
    return this.#runners.get(runner.key) === runner;
  }

  #release(runner: Runner): void {
    runner.users--;
    if (runner.users > 0 || !this.#isLoaded(runner)) return;
    if (runner.keepAliveMs <= 0) {
      this.#unload(runner);
      return;
    }
    runner.expiresAt = this.#clock.now() + runner.keepAliveMs;
    if (runner.keepAliveMs === Number.POSITIVE_INFINITY) return;
    runner.cancelExpiry = this.#clock.after(runner.keepAliveMs, () => this.#unload(runner));
  }

  #unload(runner: Runner): void {
    runner.cancelExpiry();
    this.#runners.delete(runner.key);
    this.#onUnload(runner);
    if (this.#unloadMs === 0) {
      this.#announceUnload();
      return;
    }
    const cancel = this.#clock.after(this.#unloadMs, () => {
      this.#freeing.delete(cancel);
      this.#announceUnload();
    });
    this.#freeing.add(cancel);
  }

  #announceUnload(): void {
    for (const wake of this.#waiters.splice(0)) wake();
  }
}
