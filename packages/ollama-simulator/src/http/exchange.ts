import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { OllamaError } from "./ollama-error.ts";

/** One request and its answer. */
export type Exchange = {
  request: IncomingMessage;
  response: ServerResponse;
  path: string;
  /** In the simulator's clock. */
  startedAt: number;
  /** Aborted when the client goes, or the server is cut off, before the answer is complete. */
  signal: AbortSignal;
  /** The server's side of it. */
  cutOff: () => void;
};

export class ServerCutOffError extends Error {}

export function openExchange(
  request: IncomingMessage,
  response: ServerResponse,
  startedAt: number,
): Exchange {
  const gone = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) gone.abort(new OllamaError(499, "request canceled"));
  });
  return {
    request,
    response,
    path: new URL(request.url ?? "/", "http://simulator").pathname,
    startedAt,
    signal: gone.signal,
    cutOff: () => gone.abort(new ServerCutOffError("the server was cut off")),
  };
}

export async function readBody({ request }: Exchange): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

export function replyJson({ response }: Exchange, status: number, body: unknown): void {
  reply(response, status, "application/json; charset=utf-8", JSON.stringify(body));
}

export function replyText({ response }: Exchange, status: number, body: string): void {
  reply(response, status, "text/plain; charset=utf-8", body);
}

export function replyEmpty({ request, response }: Exchange, status: number): void {
  request.resume();
  response.writeHead(status, { "content-length": 0 }).end();
}

function reply(response: ServerResponse, status: number, type: string, body: string): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) });
  response.end(body);
}

/** Writes, and waits while the reader is slower than the writer. */
export async function writeDrained({ response, signal }: Exchange, text: string): Promise<void> {
  if (!response.write(text)) await once(response, "drain", { signal });
}

/**
 * Ends the connection without an orderly end. What was sent before still arrives: only a connection that
 * said nothing yet is reset, since a reset makes the reader's kernel drop what it has not read.
 */
export async function breakConnection(exchange: Exchange): Promise<void> {
  const { request, response, signal } = exchange;
  const { socket } = request;
  while (response.headersSent && socket.writableLength > 0 && !signal.aborted)
    await once(socket, "drain", { signal });
  exchange.cutOff();
  if (response.headersSent) socket.destroy();
  else socket.resetAndDestroy();
}

/** Resolves never; rejects when the client has had enough. */
export function staySilent(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
