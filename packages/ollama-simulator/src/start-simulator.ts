import { systemClock } from "./clock.ts";
import { Counters } from "./counters.ts";
import type { FaultInput } from "./faults/fault.ts";
import { FaultBook } from "./faults/fault-book.ts";
import { parseFaults } from "./faults/parse-faults.ts";
import { VirtualGpu } from "./gpu/virtual-gpu.ts";
import { dispatch } from "./http/dispatch.ts";
import { HttpFront } from "./http/http-front.ts";
import { ModelStore } from "./models/model-store.ts";
import { type LoggedRequest, RequestLog } from "./request-log.ts";
import { Scheduler } from "./scheduler/scheduler.ts";
import { instantSettings, type SimulatorOptions, type SimulatorSettings } from "./settings.ts";
import { readStats, type SimulatorStats } from "./read-stats.ts";
import type { CrashOptions, World } from "./world.ts";

export type Simulator = AsyncDisposable & {
  url: string;
  port: number;
  stats(): SimulatorStats;
  setFault(fault: FaultInput | readonly FaultInput[]): void;
  clearFaults(): void;
  /** The last requests that made a model work, oldest first. */
  requests(): LoggedRequest[];
  /** As if Ollama was killed and came back after `downMs`: connections are cut, models are gone. */
  crash(downMs?: number): void;
  close(): Promise<void>;
};

export type SimulatorHooks = {
  /** What `crash` with `exit` does; without it the simulator comes back at once. */
  exit?: () => void;
};

/** Listens when it resolves. Rejects with the system's error when the port is taken. */
export async function startSimulator(
  options: SimulatorOptions = {},
  hooks: SimulatorHooks = {},
): Promise<Simulator> {
  const settings: SimulatorSettings = { ...instantSettings, ...options };
  const world = createWorld(settings, (crash) => {
    if (crash.exit && hooks.exit !== undefined) return hooks.exit();
    front.restart(crash.downMs);
    world.scheduler.crashAll(new Error("the server was cut off"));
  });
  const front = new HttpFront(settings.host, world.clock, (exchange) => dispatch(world, exchange));
  const port = await front.open(settings.port);
  const close = async () => {
    await front.close();
    world.scheduler.crashAll(new Error("the server was closed"));
  };
  return {
    url: `http://${settings.host}:${port}`,
    port,
    stats: () => readStats(world),
    setFault: (fault) => void world.faults.add(parseFaults(fault)),
    clearFaults: () => world.faults.clear(),
    requests: () => world.log.list(),
    crash: (downMs = 0) => world.crash({ downMs, exit: false }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function createWorld(settings: SimulatorSettings, crash: (options: CrashOptions) => void): World {
  const counters = new Counters();
  const faults = new FaultBook();
  faults.add(parseFaults(settings.faults));
  const scheduler = new Scheduler(systemClock, settings, {
    loaded(model, reason) {
      counters.add("loads", model.name);
      if (reason !== "cold") counters.add(reason === "swap" ? "swaps" : "reloads", model.name);
    },
    loadAborted: (model) => counters.add("load_aborts", model.name),
    unloaded: (model) => counters.add("unloads", model.name),
  });
  return {
    settings,
    clock: systemClock,
    models: new ModelStore(settings.models),
    scheduler,
    gpu: new VirtualGpu(systemClock, settings),
    counters,
    faults,
    log: new RequestLog(settings.requestsKept),
    crash,
  };
}
