import type { FaultInput } from "./faults/fault.ts";

/** Speeds are tokens per second; 0 means instant. Times are milliseconds. */
export type SimulatorSettings = {
  host: string;
  /** 0 lets the system choose. */
  port: number;
  /** `name` or `name=capability+capability` where the name alone would mislead. */
  models: readonly string[];
  /** Decoding speed of one generation. */
  tokensPerS: number;
  prefillTokensPerS: number;
  /** What all generations together get out of the GPU; 0 means no ceiling. */
  totalTokensPerS: number;
  numParallel: number;
  maxLoaded: number;
  /** Places in the queue of requests that wait for a load. */
  maxQueue: number;
  loadMs: number;
  /** Time until a model's memory is seen free again after it was unloaded. */
  unloadMs: number;
  /** Negative: for ever. */
  keepAliveMs: number;
  /** num_ctx of a request that names none. */
  contextLength: number;
  /** How many past requests `GET /__simulator/requests` remembers. */
  requestsKept: number;
  faults: readonly FaultInput[];
};

export type SimulatorOptions = Partial<SimulatorSettings>;

/** As a test wants it: every answer at once. The command line has slower defaults. */
export const instantSettings: SimulatorSettings = {
  host: "127.0.0.1",
  port: 0,
  models: ["llama3.2:3b", "qwen3:8b", "nomic-embed-text"],
  tokensPerS: 0,
  prefillTokensPerS: 0,
  totalTokensPerS: 0,
  numParallel: 1,
  maxLoaded: 3,
  maxQueue: 512,
  loadMs: 0,
  unloadMs: 0,
  keepAliveMs: 5 * 60_000,
  contextLength: 4096,
  requestsKept: 200,
  faults: [],
};
