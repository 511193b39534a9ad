import { openModelChangeConsumer, type QueueSpace } from "@forebay/queue-bullmq";
import type { Backend } from "../backends/backend.ts";
import type { WorkerEvents } from "../events.ts";
import { carryOutChange } from "./carry-out-change.ts";

/** Carries out what is asked of the hosts of this worker. */
export type ModelChanges = AsyncDisposable & {
  /** These are its hosts now. */ match(backends: readonly Backend[]): void;
};

export type ModelChangeOptions = {
  readonly space: QueueSpace;
  readonly worker: string;
  readonly lockMs: number;
  readonly stalledCheckMs: number;
  readonly silenceMs: number;
  readonly events: WorkerEvents;
  /** A host has another set of models now. */ readonly onChanged: () => void;
};

export function openModelChanges(options: ModelChangeOptions): ModelChanges {
  const { space, worker, lockMs, stalledCheckMs, silenceMs, events, onChanged } = options;
  const consumers = new Map<Backend, AsyncDisposable>();

  const open = (backend: Backend): AsyncDisposable =>
    openModelChangeConsumer(space, {
      worker,
      backend: backend.name,
      lockMs,
      stalledCheckMs,
      onError: events.consumerFailed,
      async handle(change, tell, signal) {
        events.modelChangeBegan(backend, change);
        const end = await carryOutChange(backend.client, change, { silenceMs, tell, signal });
        events.modelChangeEnded(backend, change, end);
        onChanged();
        return end;
      },
    });
  const close = async (backend: Backend): Promise<void> => {
    const consumer = consumers.get(backend);
    consumers.delete(backend);
    await consumer?.[Symbol.asyncDispose]();
  };

  return {
    match(backends) {
      for (const gone of [...consumers.keys()].filter((each) => !backends.includes(each))) {
        close(gone).catch(events.consumerFailed);
      }
      for (const backend of backends) {
        if (!consumers.has(backend)) consumers.set(backend, open(backend));
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...consumers.keys()].map(close));
    },
  };
}
