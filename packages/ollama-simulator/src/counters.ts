export type Tally = {
  requests: number;
  /** Generations that hold a slot now. */
  active: number;
  max_active: number;
  completed: number;
  aborted: number;
  failed: number;
  /** 503 because the pending queue was full. */
  rejected: number;
  tokens: number;
  prompt_tokens: number;
  loads: number;
  /** Loads that had to push another model out. */
  swaps: number;
  /** Loads because the same model was wanted with other runner options. */
  reloads: number;
  load_aborts: number;
  unloads: number;
};

export class Counters {
  #total = emptyTally();
  #models = new Map<string, Tally>();
  #probes = 0;

  /** Adds to the total and, where a model is known, to its own tally. */
  add(field: Exclude<keyof Tally, "active" | "max_active">, model?: string, amount = 1): void {
    this.#total[field] += amount;
    if (model !== undefined) this.#model(model)[field] += amount;
  }

  /** Somebody asked whether it is there. */
  probed(): void {
    this.#probes++;
  }

  enter(model: string): void {
    for (const tally of [this.#total, this.#model(model)]) {
      tally.active++;
      tally.max_active = Math.max(tally.max_active, tally.active);
    }
  }

  leave(model: string): void {
    for (const tally of [this.#total, this.#model(model)]) tally.active--;
  }

  /** Zero, except for what runs at this moment. */
  reset(): void {
    this.#probes = 0;
    this.#total = fresh(this.#total);
    this.#models = new Map([...this.#models].map(([name, tally]) => [name, fresh(tally)]));
  }

  get total(): Readonly<Tally> {
    return { ...this.#total };
  }

  get probes(): number {
    return this.#probes;
  }

  model(name: string): Readonly<Tally> {
    return { ...(this.#models.get(name) ?? emptyTally()) };
  }

  #model(name: string): Tally {
    const tally = this.#models.get(name) ?? emptyTally();
    this.#models.set(name, tally);
    return tally;
  }
}

function fresh({ active }: Tally): Tally {
  return { ...emptyTally(), active, max_active: active };
}

function emptyTally(): Tally {
  return {
    requests: 0,
    active: 0,
    max_active: 0,
    completed: 0,
    aborted: 0,
    failed: 0,
    rejected: 0,
    tokens: 0,
    prompt_tokens: 0,
    loads: 0,
    swaps: 0,
    reloads: 0,
    load_aborts: 0,
    unloads: 0,
  };
}
