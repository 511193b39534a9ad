import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type ApiFixture, createApiFixture, model } from "./api-fixture.ts";
import { sendRaw } from "./raw-http.ts";

const seed = 20_261_121;

let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture(inject("redisUrl"), {
    API_TENANT_JOBS_OPEN_MAX: "1000000",
    API_QUEUES_MAX: "20",
  });
});
afterAll(() => api[Symbol.asyncDispose]());

type Random = () => number;

/** Mulberry32: the same numbers for the same seed, so that what failed once fails again. */
function createRandom(start: number): Random {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
const pick = <T>(random: Random, from: readonly [T, ...T[]]): T =>
  from[Math.floor(random() * from.length)] ?? from[0];

const bodies: readonly [object, ...object[]] = [
  {
    model,
    prompt: "hi",
    options: { num_ctx: 4096, stop: ["a"] },
    format: { type: "object" },
    metadata: { a: "b" },
  },
  {
    model,
    messages: [{ role: "user", content: "hi", tool_calls: [{ function: { name: "f", arguments: {} } }] }],
  },
  { model, input: ["a", "b"], dimensions: 3, lane: "batch", attempts: 2, user: "ada", stream: false },
];

const oddValues: readonly [string, ...string[]] = [
  "null",
  "true",
  "[]",
  "{}",
  '""',
  "-0",
  "1e400",
  "-1e-400",
  "9007199254740993",
  "0.1",
  '"\\u0000"',
  '"\\ud800"',
  '"\\uffff"',
  '{"__proto__":null}',
  '{"constructor":{"prototype":{}}}',
  '{"$ref":"#"}',
  "[[[[[[[[]]]]]]]]",
  `"${"x".repeat(5_000)}"`,
  '"2026-11-21T00:00:00Z"',
  '"interactive"',
];

/** A body with one or a few things wrong with it, as text. */
function mutateBody(random: Random): string {
  let text = JSON.stringify(pick(random, bodies));
  for (let times = 1 + Math.floor(random() ** 2 * 3); times > 0; times--) {
    const at = Math.floor(random() * text.length);
    const end = at + Math.floor(random() * 8);
    text = pick(random, [
      () => text.slice(0, at),
      () => text.slice(0, at) + text.slice(end),
      () => text.slice(0, at) + String.fromCharCode(Math.floor(random() * 300)) + text.slice(at),
      () => replaceValue(random, text),
      () => replaceValue(random, text),
      () => replaceValue(random, text),
      () =>
        text.replace(
          "{",
          `{"${pick(random, ["lane", "__proto__", "toString", "run_at", "x"])}":${pick(random, oddValues)},`,
        ),
    ] as const)();
  }
  return text;
}

function replaceValue(random: Random, text: string): string {
  const values = [...text.matchAll(/(?<=:|\[|,)("(?:[^"\\]|\\.)*"|-?\d+|\{[^{}]*\}|\[[^[\]]*\])/g)];
  const chosen = values[Math.floor(random() * values.length)];
  if (!chosen) return text;
  return text.slice(0, chosen.index) + pick(random, oddValues) + text.slice(chosen.index + chosen[0].length);
}

function mutateHeaders(random: Random): Record<string, string> {
  const noise = () =>
    Array.from({ length: 1 + Math.floor(random() * 20) }, () =>
      pick(random, 'aA1 ;,="\\%/*\t~'.split("") as [string, ...string[]]),
    )
      .join("")
      .trim();
  const headers: Record<string, string> = { "content-type": "application/json" };
  for (const name of [
    "idempotency-key",
    "prefer",
    "if-none-match",
    "x-request-id",
    "authorization",
    "x-api-key",
    "forebay-on-disconnect",
    "content-type",
    "accept",
    "last-event-id",
  ]) {
    if (random() < 0.15) headers[name] = noise();
  }
  return headers;
}

function mutatePath(random: Random): string {
  const id = `j${Array.from({ length: 33 }, () => pick(random, "0123456789abcdefghjkmnpqrstvwxyz".split("") as [string, ...string[]])).join("")}`;
  const segment = () =>
    pick(random, [
      "jobs",
      "models",
      "dlq",
      "schedules",
      id,
      id.slice(1),
      "cancel",
      "retry",
      "events",
      "..",
      ".",
      "",
      "%",
      "%00",
      "%2f",
      "%E0%A4%A",
      "*",
      ":id",
      "[",
      "é",
      "__proto__",
    ]);
  const query = () =>
    pick(random, [
      "limit",
      "cursor",
      "state",
      "metadata[a]",
      "metadata[]",
      "created_after",
      "wait",
      "after",
      "x",
      "",
      "__proto__",
    ]) +
    pick(random, [
      "=",
      "==",
      "",
      "=%",
      "=%00",
      "=-1",
      "=1e9",
      "=0",
      "=waiting",
      "=99999999999999999999",
      `=${id}`,
      "=a%20b&a=1",
    ]);
  const segments = Array.from({ length: Math.floor(random() * 4) }, segment);
  const queries = Array.from({ length: Math.floor(random() * 3) }, query);
  return `/${segments.join("/")}${queries.length > 0 ? `?${queries.join("&")}` : ""}`;
}

const inBatches = async (count: number, run: (index: number) => Promise<void>): Promise<void> => {
  for (let done = 0; done < count; done += 25) {
    await Promise.all(Array.from({ length: Math.min(25, count - done) }, (_, i) => run(done + i)));
  }
};

test("2,500 mutated bodies: each is accepted or refused with a reason, never a fault", async () => {
  const random = createRandom(seed);
  const seen = new Map<number, number>();
  await inBatches(2_500, async () => {
    const body = mutateBody(random);
    const { status, body: answer } = await api.call("POST", "/jobs", { body });
    seen.set(status, (seen.get(status) ?? 0) + 1);
    expect([202, 400, 422], `${status} for ${body}`).toContain(status);
    if (status === 422) expect(answer.detail.length + (answer.errors?.length ?? 0)).toBeGreaterThan(0);
  });
  // Of each kind enough, or the mutations test nothing.
  for (const status of [202, 400, 422]) expect(seen.get(status) ?? 0, `${status}`).toBeGreaterThan(50);
});

test("800 requests with mutated headers are never a fault", async () => {
  const random = createRandom(seed + 1);
  await inBatches(800, async () => {
    const headers = mutateHeaders(random);
    const { status } = await api.submit({}, headers);
    expect(status, JSON.stringify(headers)).toBeLessThan(500);
  });
});

test("1,500 mutated addresses are never a fault", async () => {
  const random = createRandom(seed + 2);
  await inBatches(1_500, async () => {
    const method = pick(random, ["GET", "POST", "DELETE", "PUT", "HEAD", "OPTIONS", "BREW"]);
    const path = mutatePath(random);
    const body = method === "POST" ? "{}" : "";
    const head = `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    const { status } = await sendRaw(api.url, head + body);
    expect(status, `${method} ${path}`).toBeGreaterThan(0);
    expect(status, `${method} ${path}`).toBeLessThan(500);
  });
});

test("600 requests of mutated bytes are never a fault, and the server lives", async () => {
  const random = createRandom(seed + 3);
  const body = JSON.stringify(bodies[0]);
  const request = `POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  await inBatches(600, async () => {
    const bytes = Buffer.from(request);
    for (let i = Math.floor(random() * 4); i >= 0; i--) {
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    }
    // A shorter body than announced would wait for the rest: what is sent twice as long is always enough.
    const { status } = await sendRaw(api.url, bytes, " ".repeat(2_000));
    expect(status, bytes.toString("latin1")).toBeLessThan(500);
  });
  expect((await api.submit()).status).toBe(202);
});
