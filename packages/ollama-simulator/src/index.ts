export type { Fault, FaultInput, FaultKind } from "./faults/fault.ts";
export type { SimulatorStats } from "./read-stats.ts";
export type { LoggedRequest } from "./request-log.ts";
export type { SimulatorOptions, SimulatorSettings } from "./settings.ts";
export { type Simulator, type SimulatorHooks, startSimulator } from "./start-simulator.ts";
