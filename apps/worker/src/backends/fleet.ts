import type { Backend, BackendSettings } from "./backend.ts";

/** All hosts of this worker; they come and go while it runs. */
export type Fleet = {
  readonly backends: readonly Backend[];
  /** Opens and closes hosts so that these are its own; one that runs calls is closed after the last. */
  match(wanted: readonly BackendSettings[]): void;
  /** Names of hosts that an operator lets run dry. */
  drain(names: ReadonlySet<string>): void;
  /** Whether any host could run a call for this model now, were a slot free. */
  serves(model: string, nowMs: number): boolean;
  /** Closes hosts that were taken away and run nothing any more. */
  tidy(): void;
  close(): Promise<void>;
};

export function createFleet(open: (settings: BackendSettings) => Backend): Fleet {
  let backends: Backend[] = [];
  let leaving: Backend[] = [];
  const tidy = (): void => {
    for (const gone of leaving.filter((each) => each.busy() === 0)) {
      leaving = leaving.filter((each) => each !== gone);
      void gone.client.close().catch(() => undefined);
    }
  };
  return {
    get backends() {
      return backends;
    },
    match(wanted) {
      const kept = backends.filter((each) =>
        wanted.some(({ name, url }) => name === each.name && url === each.url),
      );
      leaving.push(...backends.filter((each) => !kept.includes(each)));
      const added = wanted.filter(
        ({ name, url }) => !kept.some((each) => each.name === name && each.url === url),
      );
      backends = [...kept, ...added.map(open)];
      tidy();
    },
    drain(names) {
      for (const backend of backends) backend.draining = names.has(backend.name);
    },
    serves: (model, nowMs) => backends.some((each) => !each.draining && each.serves(model, nowMs)),
    tidy,
    async close() {
      await Promise.allSettled([...backends, ...leaving].map(({ client }) => client.close()));
    },
  };
}
