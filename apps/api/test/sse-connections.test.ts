import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSseConnections, type SseConnections } from "../src/routes/jobs/events/sse-connections.ts";

let server: Server;
let streams: SseConnections;
beforeEach(async () => {
  streams = openSseConnections(": beat\n\n", { heartbeatMs: 10, stallMs: 50 });
  server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(() => {
  streams[Symbol.dispose]();
  server.close();
  server.closeAllConnections();
});

async function request(): Promise<{ client: Socket; response: ServerResponse }> {
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  client.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const [, response] = (await once(server, "request")) as [unknown, ServerResponse];
  return { client, response };
}

test("a reader that left before its stream was opened is not kept", async () => {
  const { client, response } = await request();
  const gone = once(response, "close");
  client.destroy();
  await gone;
  let closed = 0;
  const stream = streams.open(response, "retry: 1\n\n", () => closed++);
  stream.send("data: x\n\n");
  stream.end("data: y\n\n");
  expect([streams.size, closed]).toEqual([0, 1]);
});

test("a reader that leaves is told of once, and not kept", async () => {
  const { client, response } = await request();
  let closed = 0;
  streams.open(response, "retry: 1\n\n", () => closed++);
  await once(client, "data");
  expect(streams.size).toBe(1);
  const gone = once(response, "close");
  client.destroy();
  await gone;
  expect([streams.size, closed]).toEqual([0, 1]);
});

test("an idle reader hears a heartbeat, and none after the end", async () => {
  const { client, response } = await request();
  const stream = streams.open(response, "retry: 1\n\n", () => undefined);
  let text = "";
  client.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    if (text.includes("beat")) stream.end("data: last\n\n");
  });
  await once(client, "close");
  expect(text.indexOf("beat")).toBeLessThan(text.indexOf("last"));
  expect(text.slice(text.indexOf("last"))).not.toContain("beat");
});
