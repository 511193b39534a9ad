import { countOpenJobs, type QueueSpace } from "@forebay/queue-bullmq";

/**
 * How many jobs a tenant has open, counted so that a far-off limit costs nothing: what Redis said is believed
 * for a second while there is room, and asked again for every job near the limit. Jobs this process is adding
 * are counted in, so that a burst cannot slip through together. What other replicas added within the last
 * round trip is not: by that much the limit may be passed.
 */
export type OpenJobs = {
  /** A place for one more job, to be given back once the job is written or given up; or the full count. */
  reserve(tenant: string, max: number): Promise<Disposable | { full: number }>;
};

type Tally = {
  counted: number;
  countedAt: number;
  /** `added` when that count was asked for: those were in it. */ addedThen: number;
  added: number;
  reserved: number;
};

const believedMs = 1_000;
const nearShare = 0.9;
const tenantsMax = 10_000;

const estimate = (tally: Tally): number => tally.counted + tally.added - tally.addedThen + tally.reserved;

export function createOpenJobs(space: QueueSpace, now: () => number = Date.now): OpenJobs {
  const tallies = new Map<string, Tally>();

  return {
    async reserve(tenant, max) {
      const tally = tallyOf(tallies, tenant);
      const stale = now() - tally.countedAt >= believedMs;
      if (stale || estimate(tally) >= max * nearShare) {
        const addedThen = tally.added;
        const counted = await countOpenJobs(space, tenant);
        // A count asked for earlier may arrive after a later one.
        if (addedThen >= tally.addedThen) Object.assign(tally, { counted, addedThen, countedAt: now() });
      }
      const open = estimate(tally);
      if (open >= max) return { full: open };
      tally.reserved++;
      return {
        [Symbol.dispose]() {
          tally.reserved--;
          tally.added++;
        },
      };
    },
  };
}

function tallyOf(tallies: Map<string, Tally>, tenant: string): Tally {
  const known = tallies.get(tenant);
  if (known) return known;
  if (tallies.size >= tenantsMax) {
    for (const [name, tally] of tallies) if (tally.reserved === 0) tallies.delete(name);
  }
  const tally = { counted: 0, countedAt: 0, addedThen: 0, added: 0, reserved: 0 };
  tallies.set(tenant, tally);
  return tally;
}
