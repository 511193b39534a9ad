import { Agent, request } from "undici";
import { CallFailedError, type CallFailure } from "./call-failure.ts";
import { exchange } from "./exchange.ts";

/** Longest error text that is read; Ollama's own are a line or two. */
const errorBytesMax = 64 * 1024;

const headers = { "content-type": "application/json" };

/** HTTP to one Ollama host. */
export type OllamaClient = {
  /** Sends a body and returns the bytes of a 200. Throws CallFailedError for everything else. */
  post(path: string, body: unknown, signal: AbortSignal): Promise<AsyncIterable<Buffer>>;
  /** The same, with the bytes given to `onChunk` as they come. Throws also what that throws. */
  stream(path: string, body: unknown, signal: AbortSignal, onChunk: (chunk: Buffer) => void): Promise<void>;
  /** The same as `post` with DELETE. */
  delete(path: string, body: unknown, signal: AbortSignal): Promise<AsyncIterable<Buffer>>;
  /** Reads a JSON document. Throws CallFailedError. */
  get(path: string, timeoutMs: number): Promise<unknown>;
  close(): Promise<void>;
};

export function openOllamaClient(url: string): OllamaClient {
  // Ollama sends nothing at all while it loads a model, reads a prompt or waits for a slot, and undici would
  // hang up after 300 s of that: its limits are off, the watchdog's hold instead.
  const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0, connect: { timeout: 5_000 } });
  const { origin, pathname } = new URL(url);
  const send = async (
    method: "POST" | "DELETE",
    path: string,
    body: unknown,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Buffer>> => {
    const payload = JSON.stringify(body);
    try {
      const answer = await request(url + path, { method, body: payload, headers, dispatcher, signal });
      if (answer.statusCode === 200) return answer.body;
      throw statusFailure(answer.statusCode, await readErrorText(answer.body));
    } catch (error) {
      throw toCallFailed(error, signal);
    }
  };
  return {
    post: (path, body, signal) => send("POST", path, body, signal),
    delete: (path, body, signal) => send("DELETE", path, body, signal),
    async stream(path, body, signal, onChunk) {
      const to = { origin, path: pathname === "/" ? path : pathname + path };
      const call = { ...to, method: "POST", headers, body: JSON.stringify(body) } as const;
      let refusal = "";
      try {
        const answered = await exchange(dispatcher, call, signal, (chunk, status) => {
          if (status === 200) onChunk(chunk);
          else if (refusal.length <= errorBytesMax) refusal += chunk.toString("utf8");
          else throw statusFailure(status, refusal);
        });
        if (answered !== 200) throw statusFailure(answered, refusal);
      } catch (error) {
        throw toCallFailed(error, signal);
      }
    },
    async get(path, timeoutMs) {
      const signal = AbortSignal.timeout(timeoutMs);
      try {
        const answer = await request(url + path, { dispatcher, signal });
        if (answer.statusCode !== 200)
          throw statusFailure(answer.statusCode, await readErrorText(answer.body));
        return await answer.body.json();
      } catch (error) {
        throw toCallFailed(error, signal);
      }
    },
    close: () => dispatcher.destroy(),
  };
}

const statusFailure = (status: number, body: string): CallFailedError =>
  new CallFailedError({ kind: "status", status, body: body.slice(0, errorBytesMax) });

async function readErrorText(body: AsyncIterable<Buffer>): Promise<string> {
  let text = "";
  for await (const chunk of body) {
    text += chunk.toString("utf8");
    if (text.length > errorBytesMax) break;
  }
  return text;
}

/** Errors of undici and Node become one shape; an abort is passed on as the reason it was aborted for. */
export function toCallFailed(error: unknown, signal: AbortSignal): unknown {
  if (error instanceof CallFailedError) return error;
  if (signal.aborted) {
    return isCallFailure(signal.reason) ? new CallFailedError(signal.reason, error) : signal.reason;
  }
  return new CallFailedError({ kind: "socket", code: socketCode(error) }, error);
}

function isCallFailure(reason: unknown): reason is CallFailure {
  return typeof reason === "object" && reason !== null && "kind" in reason;
}

/** A code or, without one, the error's name: its message could quote what was received. */
function socketCode(error: unknown): string {
  if (!(error instanceof Error)) return "UNKNOWN";
  if ("code" in error && typeof error.code === "string") return error.code;
  return error.cause === undefined ? error.name : socketCode(error.cause);
}
