import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Agent } from "undici";
import { afterEach, beforeEach, expect, test } from "vitest";
import { exchange } from "../src/ollama/exchange.ts";

let server: Server;
let agent: Agent;
let origin: string;
/** Requests that came, and what they are answered with. */
let came: string[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;
beforeEach(async () => {
  came = [];
  server = createServer((request, response) => {
    came.push(request.url ?? "");
    answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  agent = new Agent({ connections: 1 });
});
afterEach(async () => {
  await agent.destroy();
  server.closeAllConnections();
  server.close();
});

const never = new AbortController().signal;
const get = (
  path: string,
  signal = never,
  onData: (chunk: Buffer, status: number) => void = () => undefined,
) => exchange(agent, { origin, path, method: "GET" }, signal, onData);

test("an answer is handed over as it comes, and its status when it is whole", async () => {
  answer = (_request, response) => void response.writeHead(503).end("busy");
  const got: string[] = [];
  expect(await get("/a", never, (chunk, status) => got.push(`${status} ${chunk.toString()}`))).toBe(503);
  expect(got).toEqual(["503 busy"]);
});

test("what the reader throws ends the exchange, and the server is told", async () => {
  const closed = Promise.withResolvers<void>();
  answer = (request, response) => {
    request.socket.once("close", closed.resolve);
    response.write("some");
  };
  const tooMuch = new Error("too much");
  const reading = get("/a", never, () => {
    throw tooMuch;
  });
  await expect(reading).rejects.toBe(tooMuch);
  await closed.promise;
});

test("an abort rejects with its reason: while it runs, before it began, and while it waits for a connection", async () => {
  const begun = Promise.withResolvers<void>();
  answer = () => begun.resolve();
  const [running, waiting] = [new AbortController(), new AbortController()];
  const first = get("/first", running.signal);
  await begun.promise;
  const second = get("/second", waiting.signal);
  waiting.abort("second");
  await expect(second).rejects.toBe("second");
  running.abort("first");
  await expect(first).rejects.toBe("first");
  await expect(get("/third", AbortSignal.abort("third"))).rejects.toBe("third");
  answer = (_request, response) => void response.end();
  expect(await get("/fourth")).toBe(200);
  expect(came).toEqual(["/first", "/fourth"]);
});
