import { createSeededRandom, type SeededRandom } from "../text/seeded-random.ts";
import type { Fault, FaultKind } from "./fault.ts";
import { matchesFault, type FaultSubject } from "./matches-fault.ts";

type Entry = { id: string; fault: Fault; random: SeededRandom; seen: number; struck: number };

/** The faults that are armed, and how often each has struck. */
export class FaultBook {
  #entries: Entry[] = [];
  #lastId = 0;

  add(faults: readonly Fault[]): string[] {
    const added = faults.map((fault) => ({
      id: `fault-${++this.#lastId}`,
      fault,
      random: createSeededRandom(fault.seed ?? 1),
      seen: 0,
      struck: 0,
    }));
    this.#entries.push(...added);
    return added.map((entry) => entry.id);
  }

  clear(): void {
    this.#entries = [];
  }

  remove(id: string): boolean {
    const before = this.#entries.length;
    this.#entries = this.#entries.filter((entry) => entry.id !== id);
    return this.#entries.length < before;
  }

  list() {
    return this.#entries.map(({ id, fault, seen, struck }) => ({ id, ...fault, seen, struck }));
  }

  /** Which faults strike this request. Asking counts: ask once per request. */
  strike(subject: FaultSubject): StruckFaults {
    const struck = this.#entries.filter((entry) => matchesFault(entry.fault, subject) && strikes(entry));
    return new StruckFaults(struck.map((entry) => entry.fault));
  }
}

function strikes(entry: Entry): boolean {
  const { nth = 1, times = entry.fault.nth === undefined ? Number.POSITIVE_INFINITY : 1 } = entry.fault;
  entry.seen++;
  if (entry.seen < nth || entry.struck >= times) return false;
  if (entry.fault.probability !== undefined && entry.random.next() >= entry.fault.probability) return false;
  entry.struck++;
  return true;
}

export class StruckFaults {
  readonly all: readonly Fault[];

  constructor(all: readonly Fault[]) {
    this.all = all;
  }

  find(...kinds: FaultKind[]): Fault | undefined {
    return this.all.find((fault) => kinds.includes(fault.kind));
  }
}
