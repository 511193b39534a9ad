import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export type SeenRequest = { method: string; path: string; headers: IncomingMessage["headers"]; body: string };
export type Step = (response: ServerResponse, request: SeenRequest) => unknown;

/** A server that answers each request with the next step, and every further one with the last. */
export async function startScriptedServer(
  ...steps: Step[]
): Promise<AsyncDisposable & { url: string; requests: SeenRequest[] }> {
  const requests: SeenRequest[] = [];
  const server = createServer((incoming, response) => {
    void text(incoming).then((body) => {
      const { method = "", url = "", headers } = incoming;
      const seen = { method, path: url, headers, body };
      requests.push(seen);
      steps[Math.min(requests.length, steps.length) - 1]?.(response, seen);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

export const json =
  (status: number, body: object, headers: Record<string, string> = {}): Step =>
  (response) =>
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));

export const refuse = (status: number, code: string, headers: Record<string, string> = {}): Step =>
  json(status, { code, detail: `It is ${code}.`, status }, headers);

/** The connection breaks without an answer. */
export const hangUp: Step = (response) => response.destroy();

/** Begins an event stream, sends these texts and, by default, ends it. */
export function events(...frames: string[]): Step {
  return (response) => {
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
    response.end(`retry: 1\n\n${frames.join("")}`);
  };
}

/** The same, but the connection breaks after the last of them. */
export function brokenEvents(...frames: string[]): Step {
  return (response) => {
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
    response.write(`retry: 1\n\n${frames.join("")}`, () => response.destroy());
  };
}

export const token = (seq: number, text: string): string =>
  `id: ${seq}\nevent: token\ndata: ${JSON.stringify({ seq, text })}\n\n`;

export const end = (seq: number, response: string): string =>
  `id: ${seq}\nevent: completed\ndata: ${JSON.stringify({ job_id: "j1", state: "completed", result: { response } })}\n\n`;
