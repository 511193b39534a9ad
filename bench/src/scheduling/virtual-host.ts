import type { Host, WaitingQueue } from "@forebay/scheduling";

type HostJob = { readonly model: string; readonly trueMs: number };
type Settings = {
  readonly name: string;
  readonly slots: number;
  readonly loadMs: number;
  /** Models it holds in memory. */ readonly holds: number;
};
type Load<Job> = {
  readonly model: string;
  readonly victim: string | undefined;
  readonly calls: Job[];
  endMs: number;
};

const never = Number.POSITIVE_INFINITY;

/**
 * An Ollama whose clock is a number: slots for each model, loads one at a time, and a victim whose last call must end
 * first.
 */
export function createVirtualHost<Job extends HostJob>(
  { name, slots, loadMs, holds }: Settings,
  begun: (job: Job, nowMs: number) => void,
) {
  /** When each model was called last. */
  const loaded = new Map<string, number>();
  let running: { job: Job; endMs: number }[] = [];
  let loading: Load<Job> | undefined;
  let [loads, loadedAtMs] = [0, 0];

  const callsOf = (model: string): number =>
    running.filter(({ job }) => job.model === model).length +
    (loading?.model === model ? loading.calls.length : 0);
  const free = (model: string): number => slots - callsOf(model);
  const hasRoom = (): boolean => (loading ? loading.victim === undefined : loaded.size < holds);
  const isUsed = (model: string, wanted: ReadonlySet<string>): boolean =>
    callsOf(model) > 0 || wanted.has(model);
  /** As `keep_alive` steers it: one that nobody waits for, and of those the one that was called first. */
  const pickVictim = (wanted: ReadonlySet<string>): string | undefined => {
    if (loaded.size < holds) return undefined;
    const [victim] = [...loaded].toSorted(
      ([a, at], [b, bt]) => Number(isUsed(a, wanted)) - Number(isUsed(b, wanted)) || at - bt,
    );
    return victim?.[0];
  };
  const start = (job: Job, atMs: number): void => {
    running.push({ job, endMs: atMs + job.trueMs });
    loaded.set(job.model, atMs);
    begun(job, atMs);
  };
  /** The model that has to leave stays until its last call ends. */
  const beginLoad = (nowMs: number): void => {
    if (!loading || loading.endMs !== never) return;
    if (loading.victim !== undefined && running.some(({ job }) => job.model === loading?.victim)) return;
    if (loading.victim !== undefined) loaded.delete(loading.victim);
    loading.endMs = nowMs + loadMs;
  };

  return {
    loads: () => loads,
    free,
    serves: (model: string): boolean => loaded.has(model) || loading?.model === model,
    maySend: (model: string): boolean => loading === undefined || loading.model === model,
    /** @param wanted models that jobs wait for */
    send(job: Job, wanted: ReadonlySet<string>, nowMs: number): void {
      if (loading?.model === job.model) loading.calls.push(job);
      else if (loaded.has(job.model)) start(job, nowMs);
      else {
        loads++;
        loadedAtMs = nowMs;
        loading = { model: job.model, victim: pickVictim(wanted), calls: [job], endMs: never };
        beginLoad(nowMs);
      }
    },
    nextMs: (): number => Math.min(loading?.endMs ?? never, ...running.map(({ endMs }) => endMs)),
    advance(nowMs: number): void {
      running = running.filter(({ endMs }) => endMs > nowMs);
      beginLoad(nowMs);
      if (loading && loading.endMs <= nowMs) {
        const { calls } = loading;
        loading = undefined;
        for (const job of calls) start(job, nowMs);
      }
    },
    view(waiting: readonly WaitingQueue[], nowMs: number): Omit<Host, "passedOverMs"> {
      const wanted = new Set(waiting.map((queue) => queue.name));
      return {
        name,
        loaded: new Set(loaded.keys()),
        loading: loading?.model,
        room: hasRoom(),
        spare: [...loaded.keys()].some((model) => !isUsed(model, wanted)),
        steadyMs: nowMs - loadedAtMs,
        busy: running.length,
        slots: () => slots,
        free: (queue) => free(queue.name),
        swapMs: () => loadMs,
        clashes: () => false,
      };
    },
  };
}
