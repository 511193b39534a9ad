import type { Simulator } from "../src/index.ts";

type Reply = {
  status: number;
  type: string | null;
  text: string;
  /** The body as one JSON value. */
  json: Record<string, unknown>;
  /** The body as one JSON value a line. */
  lines: Record<string, unknown>[];
};

export async function ask(
  simulator: Simulator,
  path: string,
  body?: unknown,
  method = "POST",
): Promise<Reply> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const init = body === undefined ? { method } : { method, body: text };
  return await toReply(await fetch(simulator.url + path, init));
}

export async function get(simulator: Simulator, path: string): Promise<Reply> {
  return await ask(simulator, path, undefined, "GET");
}

async function toReply(response: Response): Promise<Reply> {
  const text = await response.text();
  return {
    status: response.status,
    type: response.headers.get("content-type"),
    text,
    get json() {
      return JSON.parse(text);
    },
    get lines() {
      return text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line));
    },
  };
}

/** Resolves when `condition` holds, asked again with every turn of the event loop. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
