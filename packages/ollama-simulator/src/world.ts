import type { Clock } from "./clock.ts";
import type { Counters } from "./counters.ts";
import type { FaultBook } from "./faults/fault-book.ts";
import type { VirtualGpu } from "./gpu/virtual-gpu.ts";
import type { ModelStore } from "./models/model-store.ts";
import type { RequestLog } from "./request-log.ts";
import type { Scheduler } from "./scheduler/scheduler.ts";
import type { SimulatorSettings } from "./settings.ts";

export type CrashOptions = { downMs: number; exit: boolean };

/** Everything one simulated server consists of. */
export type World = {
  settings: SimulatorSettings;
  clock: Clock;
  models: ModelStore;
  scheduler: Scheduler;
  gpu: VirtualGpu;
  counters: Counters;
  faults: FaultBook;
  log: RequestLog;
  /** Cuts every connection and forgets every loaded model. */
  crash: (options: CrashOptions) => void;
};

/** What `GET /api/version` says; the release whose behaviour this is. */
export const simulatedVersion = "0.33.0";
