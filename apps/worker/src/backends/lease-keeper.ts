import { leaseSlots, type QueueSpace } from "@forebay/queue-bullmq";

/** Slots this worker may use, held in Redis, so that workers who share a host stay within its slots. */
export type LeaseKeeper = {
  /** Whether a slot could be had now, as far as is known: `take` may still find that it must ask. */
  free(backend: string, model: string, limit: number): number;
  /** Takes a slot; false: none is held, one is asked for, and `onChange` tells when the answer is there. */
  take(backend: string, model: string, limit: number): boolean;
  /** As `take`, and waits for the answer where it must ask. */
  takeSoon(backend: string, model: string, limit: number): Promise<boolean>;
  giveBack(backend: string, model: string): void;
  close(): Promise<void>;
};

/** Who holds slots, and for how long Redis holds them for one that says nothing any more (ms). */
export type SlotHolder = { readonly worker: string; readonly leaseMs: number };

/** Who was refused asks again after so long: the others say nothing when they give slots back. */
const refusedMs = 300;
/** A slot that was not used for so long is given back; until then the next job needs no asking. */
const idleMs = 1_000;

type Held = {
  readonly backend: string;
  readonly model: string;
  limit: number;
  held: number;
  busy: number;
  asking: Promise<void> | undefined;
  refusedUntil: number;
  usedAt: number;
};

export function createLeaseKeeper(
  space: QueueSpace,
  { worker, leaseMs }: SlotHolder,
  onChange: () => void,
  onError: (error: unknown) => void,
): LeaseKeeper {
  const all = new Map<string, Held>();
  const timers = new Set<NodeJS.Timeout>();
  let closed = false;

  const of = (backend: string, model: string): Held => {
    const key = `${backend}\n${model}`;
    let held = all.get(key);
    if (!held) {
      held = { backend, model, limit: 0, held: 0, busy: 0, asking: undefined, refusedUntil: 0, usedAt: 0 };
      all.set(key, held);
    }
    return held;
  };
  const set = async (lease: Held, want: number): Promise<void> => {
    const { backend, model, limit } = lease;
    // What is given back is not used while Redis is told.
    lease.held = Math.min(lease.held, want);
    lease.held = await leaseSlots(space, { backend, model, worker, want, limit, leaseMs });
  };
  const later = (ms: number): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      onChange();
    }, ms);
    timers.add(timer);
  };

  const ask = async (lease: Held): Promise<void> => {
    try {
      await set(lease, lease.limit);
    } catch (error) {
      onError(error);
    } finally {
      lease.asking = undefined;
      if (lease.held <= lease.busy) {
        lease.refusedUntil = Date.now() + refusedMs;
        if (!closed) later(refusedMs);
      }
    }
    if (!closed) onChange();
  };

  const take = (backend: string, model: string, limit: number): boolean => {
    const lease = of(backend, model);
    lease.limit = limit;
    if (lease.busy < Math.min(lease.held, limit)) {
      lease.busy++;
      lease.usedAt = Date.now();
      return true;
    }
    if (!closed) lease.asking ??= ask(lease);
    return false;
  };

  const renew = async (): Promise<void> => {
    const now = Date.now();
    for (const [key, lease] of all) {
      if (lease.asking) continue;
      const want = now - lease.usedAt < idleMs ? lease.held : lease.busy;
      if (lease.held === 0 && want === 0) {
        if (lease.busy === 0) all.delete(key);
        continue;
      }
      await set(lease, want);
    }
  };
  // Idle slots are given back soon, held ones renewed well before they end.
  const renewMs = leaseMs / 3;
  let renewedAt = 0;
  const tick = setInterval(
    () => {
      const now = Date.now();
      const idle = [...all.values()].some(({ held, busy, usedAt }) => held > busy && now - usedAt >= idleMs);
      if (!idle && now - renewedAt < renewMs) return;
      renewedAt = now;
      renew().catch(onError);
    },
    Math.min(idleMs, renewMs),
  );

  return {
    free(backend, model, limit) {
      const lease = of(backend, model);
      const most = lease.refusedUntil > Date.now() ? Math.min(limit, lease.held) : limit;
      return Math.max(0, most - lease.busy);
    },
    take,
    async takeSoon(backend, model, limit) {
      if (take(backend, model, limit)) return true;
      await of(backend, model).asking;
      return take(backend, model, limit);
    },
    giveBack(backend, model) {
      const lease = of(backend, model);
      lease.busy = Math.max(0, lease.busy - 1);
      lease.usedAt = Date.now();
    },
    async close() {
      closed = true;
      clearInterval(tick);
      for (const timer of timers) clearTimeout(timer);
      if (space.client.status !== "ready") return;
      await Promise.allSettled(
        [...all.values()].filter(({ held }) => held > 0).map((lease) => set(lease, 0)),
      );
    },
  };
}
