import type { ModelCard } from "../models/model-card.ts";
import type { RunnerOptions } from "./runner-options.ts";
import { Slots } from "./slots.ts";

/** One model in memory. */
export class Runner {
  readonly key: string;
  readonly model: ModelCard;
  readonly options: RunnerOptions;
  /** The context it really got. */
  readonly numCtx: number;
  readonly slots: Slots;
  /** Aborted when the process behind it dies; everything that runs on it ends with it. */
  readonly crash = new AbortController();
  keepAliveMs: number;
  /** Requests that hold it, waiting for a slot or generating. */
  users = 0;
  /** In the scheduler's clock; undefined while in use for the first time. */
  expiresAt: number | undefined;
  cancelExpiry: () => void = () => {};

  constructor(load: {
    model: ModelCard;
    options: RunnerOptions;
    numCtx: number;
    slots: number;
    keepAliveMs: number;
  }) {
    this.key = load.model.name;
    this.model = load.model;
    this.options = load.options;
    this.numCtx = load.numCtx;
    this.slots = new Slots(load.slots);
    this.keepAliveMs = load.keepAliveMs;
  }
}
