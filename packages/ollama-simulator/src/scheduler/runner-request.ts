import type { ModelCard } from "../models/model-card.ts";
import type { RunnerOptions } from "./runner-options.ts";

export type RunnerRequest = {
  model: ModelCard;
  options: RunnerOptions;
  /** Undefined: as it was, or the server's. */
  keepAliveMs: number | undefined;
  /** What goes wrong if this request causes a load. */
  loadFault: LoadFault | undefined;
};

export type LoadFault = { kind: "stall" } | { kind: "error"; error: Error };
