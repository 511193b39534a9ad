type Waiter = () => void;

/** First come, first served; the line is as long as it gets. */
export class Slots {
  readonly size: number;
  readonly #waiters: Waiter[] = [];
  #used = 0;

  constructor(size: number) {
    this.size = size;
  }

  get used(): number {
    return this.#used;
  }

  get waiting(): number {
    return this.#waiters.length;
  }

  /** Gives the function that frees the slot; calling it twice is harmless. */
  async acquire(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#used < this.size) this.#used++;
    else await this.#queue(signal);
    let held = true;
    return () => {
      if (held) this.#leave();
      held = false;
    };
  }

  #queue(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        reject(signal.reason);
      };
      const waiter = () => {
        signal.removeEventListener("abort", abort);
        resolve();
      };
      signal.addEventListener("abort", abort, { once: true });
      this.#waiters.push(waiter);
    });
  }

  #leave(): void {
    // The slot passes on without becoming free, or a newcomer could overtake the line.
    const next = this.#waiters.shift();
    if (next === undefined) this.#used--;
    else next();
  }
}
