import type { LoadNotice, WorkerLease } from "@forebay/queue-bullmq";

/** What other workers' hosts have in memory, or are loading. */
export type Elsewhere = {
  /** What the registry says now. `own`: hosts of this worker, which it knows better. */
  saw(leases: readonly WorkerLease[], worker: string, own: ReadonlySet<string>, nowMs: number): void;
  heard(notice: LoadNotice, own: ReadonlySet<string>, nowMs: number): void;
  /** Slots where this affinity is in memory, or will be. */
  slots(affinity: string, nowMs: number): number;
  /** What another worker has this host of ours load. */
  loadingOn(backend: string, nowMs: number): string | undefined;
};

/** A notice holds so long; the registry repeats it while the load lasts. */
const noticeMs = 30_000;

export function createElsewhere(): Elsewhere {
  let listed = new Map<string, number>();
  const notices = new Map<string, LoadNotice & { untilMs: number; own: boolean }>();

  const heard = (notice: LoadNotice, own: ReadonlySet<string>, nowMs: number): void => {
    if (!notice.loading) notices.delete(notice.backend);
    else {
      const untilMs = nowMs + noticeMs;
      notices.set(notice.backend, { ...notice, untilMs, own: own.has(notice.backend) });
    }
  };

  return {
    saw(leases, worker, own, nowMs) {
      for (const lease of leases) {
        if (lease.worker === worker) continue;
        for (const { name: backend, loading: affinity, slots } of lease.backends) {
          if (affinity === undefined) continue;
          heard({ worker: lease.worker, backend, affinity, slots, loading: true }, own, nowMs);
        }
      }
      const hosts = new Map(
        leases
          .filter((lease) => lease.worker !== worker)
          .flatMap(({ backends }) => backends.filter(({ up, draining }) => up && !draining))
          .filter(({ name }) => !own.has(name))
          .map((backend) => [backend.name, backend]),
      );
      listed = new Map();
      for (const { loaded = [], slots } of hosts.values()) {
        for (const affinity of loaded) listed.set(affinity, (listed.get(affinity) ?? 0) + slots);
      }
    },
    heard,
    slots(affinity, nowMs) {
      let slots = listed.get(affinity) ?? 0;
      for (const notice of notices.values()) {
        if (notice.affinity === affinity && !notice.own && notice.untilMs > nowMs) slots += notice.slots;
      }
      return slots;
    },
    loadingOn(backend, nowMs) {
      const notice = notices.get(backend);
      return notice && notice.own && notice.untilMs > nowMs ? notice.affinity : undefined;
    },
  };
}
