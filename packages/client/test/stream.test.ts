import { expect, test } from "vitest";
import { createClient, type JobEvent, OffsetLostError, type StreamOptions } from "../src/index.ts";
import {
  brokenEvents,
  end,
  events,
  hangUp,
  json,
  refuse,
  startScriptedServer,
  type Step,
  token,
} from "./scripted-server.ts";

const frame = (name: string, data: object, id?: number): string =>
  `${id === undefined ? "" : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const failedWith = (code: string): string => frame("error", { code, detail: `It is ${code}.` });
const silent: Step = (response) =>
  void response.writeHead(200, { "content-type": "text/event-stream" }).write(": hi\n\n");

async function collect(url: string, options: StreamOptions = {}): Promise<JobEvent[]> {
  const seen: JobEvent[] = [];
  for await (const event of createClient({ baseUrl: url }).stream("j1", options)) seen.push(event);
  return seen;
}
const numbers = (seen: readonly JobEvent[]): number[] => seen.map(({ seq }) => seq);
const whole = events(token(2, "a"), token(3, "b"), end(4, "ab"));

test("events come in order and end with the job", async () => {
  await using server = await startScriptedServer(whole);
  const seen = await collect(server.url);
  expect(seen.slice(0, 2)).toEqual([
    { event: "token", seq: 2, text: "a" },
    { event: "token", seq: 3, text: "b" },
  ]);
  expect(seen[2]).toMatchObject({
    event: "completed",
    seq: 4,
    job: { job_id: "j1", result: { response: "ab" } },
  });
  expect(server.requests).toMatchObject([
    { path: "/jobs/j1/events", headers: { accept: "text/event-stream" } },
  ]);
});

test.each<[string, Step]>([
  ["ends early", events(token(2, "a"))],
  ["breaks", brokenEvents(token(2, "a"))],
  ["breaks in the middle of an event", brokenEvents(token(2, "a"), 'id: 3\nevent: token\ndata: {"te')],
  ["says that it fell behind", events(token(2, "a"), failedWith("reader_too_slow"))],
  ["says that it broke off", events(token(2, "a"), failedWith("stream_interrupted"))],
  ["sends what is no event of a job", events(token(2, "a"), "data: hello\n\n")],
])("a stream that %s is taken up after the last event", async (_, first) => {
  await using server = await startScriptedServer(first, events(token(3, "b"), end(4, "ab")));
  expect(numbers(await collect(server.url))).toEqual([2, 3, 4]);
  expect(server.requests[1]?.headers["last-event-id"]).toBe("2");
});

test("neither a server that is away, nor one that is full, ends it", async () => {
  const codes: string[] = [];
  await using server = await startScriptedServer(
    brokenEvents(token(2, "a")),
    hangUp,
    refuse(503, "queue_unavailable", { "retry-after": "0" }),
    refuse(502, "service_unreachable"),
    events(token(3, "b"), end(4, "ab")),
  );
  expect(numbers(await collect(server.url, { onRetry: ({ error }) => codes.push(error.code) }))).toEqual([
    2, 3, 4,
  ]);
  expect(codes).toEqual([
    "connection_failed",
    "connection_failed",
    "queue_unavailable",
    "service_unreachable",
  ]);
});

test("Retry-After is honoured where the server sent one, its retry: otherwise", async () => {
  const delays: number[] = [];
  await using server = await startScriptedServer(
    refuse(503, "queue_unavailable", { "retry-after": "1" }),
    (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end(`retry: 40\n\n${token(2, "a")}`);
    },
    events(end(3, "a")),
  );
  await collect(server.url, { onRetry: ({ delayMs }) => delays.push(delayMs) });
  expect(delays[0]).toBe(1_000);
  expect(delays[1]).toBeGreaterThanOrEqual(30);
  expect(delays[1]).toBeLessThanOrEqual(50);
});

test("events that come twice are given once", async () => {
  await using server = await startScriptedServer(
    brokenEvents(token(2, "a"), token(3, "b")),
    events(token(2, "a"), token(3, "b"), end(4, "ab")),
  );
  expect(numbers(await collect(server.url))).toEqual([2, 3, 4]);
});

test("an event of a kind this version does not know is passed over, and counts as seen", async () => {
  await using server = await startScriptedServer(
    brokenEvents(token(2, "a"), frame("weather", { sun: true }, 3)),
    events(end(4, "a")),
  );
  expect(numbers(await collect(server.url))).toEqual([2, 4]);
  expect(server.requests[1]?.headers["last-event-id"]).toBe("3");
});

test("who has seen the end gets nothing more", async () => {
  await using server = await startScriptedServer((response) => response.writeHead(204).end());
  expect(await collect(server.url, { after: 4 })).toEqual([]);
  expect(server.requests[0]?.headers["last-event-id"]).toBe("4");
});

test.each<[string, Step]>([
  ["as an answer", refuse(410, "offset_lost")],
  ["in the stream", events(failedWith("offset_lost"))],
])("a log that was trimmed is an OffsetLostError, %s, never a shorter text", async (_, step) => {
  await using server = await startScriptedServer(step);
  await expect(collect(server.url, { after: 2 })).rejects.toBeInstanceOf(OffsetLostError);
  expect(server.requests).toHaveLength(1);
});

test.each<[string, Step, object]>([
  ["an unknown job", refuse(404, "job_not_found"), { status: 404, code: "job_not_found" }],
  ["a wrong key", refuse(401, "unauthorized"), { status: 401 }],
  ["a page instead of events", json(200, {}), { code: "unexpected_answer" }],
])("%s ends it at once", async (_, step, error) => {
  await using server = await startScriptedServer(step);
  await expect(collect(server.url)).rejects.toMatchObject(error);
  expect(server.requests).toHaveLength(1);
});

test("a job that is deleted meanwhile ends it", async () => {
  await using server = await startScriptedServer(brokenEvents(token(2, "a")), refuse(404, "job_not_found"));
  await expect(collect(server.url)).rejects.toMatchObject({ code: "job_not_found" });
});

test("a server that never was there is given up after a few tries", async () => {
  const client = createClient({ baseUrl: "http://127.0.0.1:1", retries: 1 });
  await expect(client.stream("j1").next()).rejects.toMatchObject({ code: "connection_failed" });
});

test("a server that always breaks off before its first event is given up, too", async () => {
  await using server = await startScriptedServer(events());
  const client = createClient({ baseUrl: server.url, retries: 3 });
  await expect(client.stream("j1").next()).rejects.toMatchObject({ code: "connection_failed" });
  expect(server.requests).toHaveLength(4);
});

test("the caller's signal ends it with its reason, while it reads and while it waits", async () => {
  const reason = new Error("enough");
  await using quiet = await startScriptedServer(silent);
  const reading = new AbortController();
  const first = createClient({ baseUrl: quiet.url }).stream("j1", { signal: reading.signal }).next();
  setTimeout(() => reading.abort(reason), 50);
  await expect(first).rejects.toBe(reason);

  await using full = await startScriptedServer(refuse(503, "backlog_full", { "retry-after": "60" }));
  const waiting = new AbortController();
  const onRetry = (): void => waiting.abort(reason);
  await expect(collect(full.url, { signal: waiting.signal, onRetry })).rejects.toBe(reason);
});

test("a reader that leaves the loop closes its connection", async () => {
  const closed = Promise.withResolvers<void>();
  await using server = await startScriptedServer((response) => {
    response.once("close", closed.resolve);
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(token(2, "a"));
  });
  for await (const event of createClient({ baseUrl: server.url }).stream("j1")) {
    expect(event.seq).toBe(2);
    break;
  }
  await closed.promise;
});

test("ids are escaped", async () => {
  await using server = await startScriptedServer(refuse(404, "job_not_found"));
  const client = createClient({ baseUrl: `${server.url}/queue/` });
  await expect(client.get("../models?x=1")).rejects.toMatchObject({ status: 404 });
  expect(server.requests[0]?.path).toBe("/queue/jobs/..%2Fmodels%3Fx%3D1");
});
