import type { RunnerOptions } from "@forebay/queue-contracts";

/** A model as `/api/ps` lists it. */
export type LoadedModel = { readonly name: string; readonly contextLength: number | undefined };

/** What Ollama must have in memory to serve a queue without loading. */
export type Resident = {
  /** Model and runner options as one line. */ readonly affinity: string;
  readonly model: string;
  readonly runner: RunnerOptions;
};

/** When a look began, in loads. */
type Look = { readonly loads: number };

/** What a host has in its memory: what it says, and what our own calls made it load since. */
export type Residency = {
  /** The affinity that is being loaded for a call of ours. */ readonly loading: string | undefined;
  /** Whether one more fits; undefined: it has not shown yet. */ readonly room: boolean | undefined;
  /** Names of what is in memory. */ readonly models: readonly string[];
  has(resident: Resident): boolean;
  /** A call begins; it may have to load first. */
  begin(resident: Resident): void;
  /** Its first byte came: what it needs is loaded. True: this was a load, and the host should be looked at. */
  loaded(resident: Resident): boolean;
  /** A call ended, with a first byte or without. */
  end(resident: Resident): void;
  /** A look at the host begins; its answer goes to `saw`. */
  look(): Look;
  /** What the host lists. An answer that a load has overtaken says nothing any more. */
  saw(models: readonly LoadedModel[], look: Look): void;
  /** The host went down, and has nothing when it is back. */
  forget(): void;
};

export function createResidency(): Residency {
  const inMemory = new Map<string, LoadedModel>();
  /** The affinity each model was loaded with, where that was for a call of ours. */
  const loadedAs = new Map<string, string>();
  /** Calls that have no first byte yet, by affinity. */
  const silent = new Map<string, number>();
  let loading: string | undefined;
  let before: ReadonlySet<string> = new Set();
  /** The load is over, and what it threw out is not known before the next look. */
  let unseen = false;
  let most: number | undefined;
  let seenMost = 0;
  let loads = 0;

  const has = ({ affinity, model, runner }: Resident): boolean => {
    const listed = inMemory.get(model);
    if (!listed) return false;
    const as = loadedAs.get(model);
    if (as !== undefined) return as === affinity;
    // Somebody else loaded it: of its options only the context is told. A call that asks for none takes it as it is.
    const options = Object.keys(runner);
    return options.length === 0 || (options.length === 1 && runner.num_ctx === listed.contextLength);
  };

  return {
    get loading() {
      return loading;
    },
    get room() {
      if (inMemory.size < seenMost) return true;
      return most === undefined ? undefined : inMemory.size < most;
    },
    get models() {
      return [...inMemory.keys()];
    },
    has,
    begin(resident) {
      silent.set(resident.affinity, (silent.get(resident.affinity) ?? 0) + 1);
      if (has(resident) || loading !== undefined) return;
      loading = resident.affinity;
      unseen = false;
      before = new Set(inMemory.keys());
    },
    loaded(resident) {
      inMemory.set(
        resident.model,
        inMemory.get(resident.model) ?? { name: resident.model, contextLength: resident.runner.num_ctx },
      );
      loadedAs.set(resident.model, resident.affinity);
      if (loading !== resident.affinity || unseen) return false;
      unseen = true;
      loads++;
      return true;
    },
    end(resident) {
      const left = (silent.get(resident.affinity) ?? 1) - 1;
      if (left > 0) silent.set(resident.affinity, left);
      else silent.delete(resident.affinity);
      // It failed, or was aborted, before anything was loaded.
      if (left <= 0 && loading === resident.affinity && !unseen) loading = undefined;
    },
    look: () => ({ loads }),
    saw(models, look) {
      if (look.loads !== loads) return;
      const names = new Set(models.map(({ name }) => name));
      if (loading !== undefined && unseen) {
        const thrownOut = [...before].some((name) => !names.has(name));
        if (thrownOut) most = Math.max(names.size, 1);
        loading = undefined;
        unseen = false;
      }
      inMemory.clear();
      for (const model of models) inMemory.set(model.name, model);
      for (const name of loadedAs.keys()) if (!names.has(name)) loadedAs.delete(name);
      seenMost = Math.max(seenMost, names.size);
      if (most !== undefined && seenMost > most) most = seenMost;
    },
    forget() {
      inMemory.clear();
      loadedAs.clear();
      loading = undefined;
      unseen = false;
    },
  };
}
