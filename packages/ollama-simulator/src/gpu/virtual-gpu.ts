import type { Clock } from "../clock.ts";

export type GpuSpeeds = { tokensPerS: number; prefillTokensPerS: number; totalTokensPerS: number };

export type TokenSource = {
  /** Waits for at least one token and gives how many are there, at most `max`. */
  take(max: number): Promise<number>;
};

type Task = {
  rate: number;
  /** Whether the ceiling of the whole GPU applies. */
  shared: boolean;
  /** Tokens done and not yet handed over, with the fraction of the one in progress. */
  ready: number;
  /** Ready tokens that end the wait. */
  needed: number;
  since: number;
  done: (tokens: number) => void;
};

// A hundred wake-ups a second whatever runs: several tokens of a fast stream, or of many streams, share one.
const tickMsMin = 10;
// Instant streams give the event loop a turn this often, so that aborts and other requests get through.
const instantBurst = 256;

/** All generations of one simulator move forward on a single timer. */
export class VirtualGpu {
  readonly #tasks = new Set<Task>();
  readonly #clock: Clock;
  readonly #speeds: GpuSpeeds;
  #tickAt = Number.POSITIVE_INFINITY;
  #cancelTick: () => void = () => {};

  constructor(clock: Clock, speeds: GpuSpeeds) {
    this.#clock = clock;
    this.#speeds = speeds;
  }

  async prefill(tokens: number, signal: AbortSignal): Promise<void> {
    const rate = this.#speeds.prefillTokensPerS;
    signal.throwIfAborted();
    if (rate > 0 && tokens > 0) await this.#wait({ rate, shared: false, ready: 0, needed: tokens }, signal);
  }

  /** Only time spent inside `take` counts: a reader that does not drain its socket slows its own stream. */
  decode(signal: AbortSignal, tokensPerS = this.#speeds.tokensPerS): TokenSource {
    if (tokensPerS === 0) return { take: (max) => takeInstantly(max, signal) };
    let ready = 0;
    let handedOverAt: number | undefined;
    return {
      take: async (max) => {
        signal.throwIfAborted();
        const work = { rate: tokensPerS, shared: true, ready: ready % 1, needed: 1 };
        ready = await this.#wait(work, signal, handedOverAt);
        handedOverAt = this.#clock.now();
        return Math.min(max, Math.floor(ready));
      },
    };
  }

  #wait(work: Omit<Task, "since" | "done">, signal: AbortSignal, from?: number): Promise<number> {
    // The moment it takes to write a token is not lost; a reader that stays away longer does lose its time.
    const now = this.#clock.now();
    const since = from !== undefined && now - from < tickMsMin ? from : now;
    return new Promise((resolve, reject) => {
      const leave = () => {
        signal.removeEventListener("abort", abort);
        this.#tasks.delete(task);
      };
      const abort = () => {
        leave();
        if (this.#tasks.size === 0) this.#rest();
        reject(signal.reason);
      };
      const done = (tokens: number) => {
        leave();
        resolve(tokens);
      };
      const task: Task = { ...work, since, done };
      signal.addEventListener("abort", abort, { once: true });
      this.#tasks.add(task);
      this.#schedule();
    });
  }

  #rate(task: Task): number {
    const ceiling = this.#speeds.totalTokensPerS;
    return task.shared && ceiling > 0 ? Math.min(task.rate, ceiling / this.#tasks.size) : task.rate;
  }

  #schedule(): void {
    if (this.#tasks.size === 0) return;
    let soonestMs = Number.POSITIVE_INFINITY;
    for (const task of this.#tasks) {
      soonestMs = Math.min(soonestMs, ((task.needed - task.ready) * 1000) / this.#rate(task));
    }
    const delayMs = Math.max(soonestMs, tickMsMin);
    const at = this.#clock.now() + delayMs;
    if (at >= this.#tickAt) return;
    this.#cancelTick();
    this.#tickAt = at;
    this.#cancelTick = this.#clock.after(delayMs, () => this.#tick());
  }

  #tick(): void {
    this.#tickAt = Number.POSITIVE_INFINITY;
    const now = this.#clock.now();
    const due: Task[] = [];
    for (const task of this.#tasks) {
      task.ready += ((now - task.since) / 1000) * this.#rate(task);
      task.since = now;
      // Timers may be a hair early; a whole extra tick for it would cost a tenth of the speed.
      if (task.ready >= task.needed - 1e-3) due.push(task);
    }
    for (const task of due) task.done(Math.max(task.ready, task.needed));
    this.#schedule();
  }

  #rest(): void {
    this.#cancelTick();
    this.#tickAt = Number.POSITIVE_INFINITY;
  }
}

async function takeInstantly(max: number, signal: AbortSignal): Promise<number> {
  await new Promise<void>((resolve) => setImmediate(resolve));
  signal.throwIfAborted();
  return Math.min(max, instantBurst);
}
