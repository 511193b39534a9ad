import { type CallOptions, requestRepeatedly, type Server } from "./request.ts";

/** What there is to run jobs on, what of it is used, and what waits for it. */
export type Capacity = {
  /** Worker processes that are alive. */
  workers: number;
  backends: BackendCapacity[];
  models: ModelCapacity[];
};

/** One Ollama host, however many workers feed it. */
export type BackendCapacity = {
  name: string;
  up: boolean;
  /** It finishes what it runs and is given nothing new. */
  draining: boolean;
  version: string | null;
  workers: string[];
  /** Models in its memory, with the runner options they have. */
  loaded: string[];
  loading: string | null;
  /** `out`: left alone for a while, after failures. */
  models: { name: string; loaded: boolean; slots: number; busy: number; out: boolean }[];
};

/** One model, over all of its context sizes. */
export type ModelCapacity = {
  name: string;
  paused: boolean;
  /** Jobs of it that can run at once now. */
  slots: number;
  waiting: number;
  /** Of those waiting, the ones passed over because their tenant runs as many jobs as it may. */
  held: number;
  active: number;
  delayed: number;
  oldest_waiting_s: number;
  /** Seconds of a slot that its waiting jobs are expected to take. */
  work_s: number;
  /** Seconds until a job at the end of its line would start; null: nobody can tell, or it is paused. */
  eta_s: number | null;
};

export async function readCapacity(server: Server, options: CallOptions): Promise<Capacity> {
  return (await requestRepeatedly(server, { method: "GET", path: "/capacity" }, options)) as Capacity;
}

/** Twice is the same as once, so both are repeated. */
export async function setDraining(
  server: Server,
  backend: string,
  draining: boolean,
  options: CallOptions,
): Promise<void> {
  const path = `/capacity/backends/${encodeURIComponent(backend)}/${draining ? "drain" : "undrain"}`;
  await requestRepeatedly(server, { method: "POST", path }, options);
}

/** The model's whole name, as the server keeps it. */
export async function setPaused(
  server: Server,
  model: string,
  paused: boolean,
  options: CallOptions,
): Promise<string> {
  const path = `/capacity/models/${paused ? "pause" : "resume"}`;
  const answer = await requestRepeatedly(server, { method: "POST", path, body: { model } }, options);
  return (answer as { model: string }).model;
}
