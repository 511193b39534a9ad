import { type CallOptions, requestRepeatedly, type Server } from "./request.ts";

/** A model jobs can name. */
export type ListedModel = {
  name: string;
  /** Ollama hosts that have it; empty: it was served lately and no worker is alive, jobs wait for one. */
  backends: { name: string; up: boolean; loaded: boolean; slots: number }[];
};

export async function listModels(server: Server, options: CallOptions): Promise<ListedModel[]> {
  const body = await requestRepeatedly(server, { method: "GET", path: "/models" }, options);
  return (body as { models: ListedModel[] }).models;
}
