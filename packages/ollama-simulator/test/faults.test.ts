import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Simulator, startSimulator } from "../src/index.ts";
import { ask, get, until } from "./ask.ts";

let simulator: Simulator;

beforeEach(async () => {
  simulator = await startSimulator({ models: ["a:1b", "b:1b", "nomic-embed-text"] });
});

afterEach(() => simulator.close());

const body = { model: "a:1b", prompt: "Hi", options: { num_predict: 20 } };
const generate = (rest: object = {}) => ask(simulator, "/api/generate", { ...body, ...rest });

/** The code that Node's fetch gives to a connection that breaks. */
async function failure(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "none";
  } catch (error) {
    const { cause, message } = error as Error & { cause?: { code?: string } };
    return cause?.code ?? message;
  }
}

async function isBack(): Promise<void> {
  while ((await failure(get(simulator, "/api/version"))) !== "none");
}

describe("a fault", () => {
  test("refuse: the connection is reset, lists and states included", async () => {
    simulator.setFault({ kind: "refuse", times: 2 });
    expect(await failure(generate())).toBe("ECONNRESET");
    expect(await failure(get(simulator, "/api/version"))).toBe("ECONNRESET");
    expect((await get(simulator, "/api/version")).status).toBe(200);
  });

  test.each([
    ["503", 503, "server busy, please try again.  maximum pending requests exceeded"],
    ["500", 500, expect.stringContaining("model runner has unexpectedly stopped")],
    ["404", 404, "model not found"],
  ] as const)("%s: that status and a text of its own", async (kind, status, error) => {
    simulator.setFault({ kind, times: 1 });
    expect(await generate()).toMatchObject({ status, json: { error } });
    expect((await generate()).status).toBe(200);
  });

  test("status: any status and any message", async () => {
    simulator.setFault({ kind: "status", status: 400, message: "does not fit" });
    expect(await generate()).toMatchObject({ status: 400, json: { error: "does not fit" } });
  });

  test("reset: the stream breaks after so many tokens", async () => {
    simulator.setFault({ kind: "reset", after_tokens: 3 });
    const response = await fetch(`${simulator.url}/api/generate`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    expect(response.status).toBe(200);
    const reader = response.body?.getReader();
    const { value } = (await reader?.read()) ?? {};
    expect(new TextDecoder().decode(value).trimEnd().split("\n")).toHaveLength(3);
    expect(await failure(reader?.read() ?? Promise.resolve())).toBe("UND_ERR_SOCKET");
    expect(simulator.stats()).toMatchObject({ tokens: 3, failed: 1, aborted: 0 });
  });

  test("reset at zero: not even headers arrive", async () => {
    simulator.setFault({ kind: "reset", after_tokens: 0 });
    expect(await failure(generate())).toBe("ECONNRESET");
  });

  test("hang: silence with the slot held, until the client goes", async () => {
    simulator.setFault({ kind: "hang", times: 1 });
    const client = new AbortController();
    const hanging = fetch(`${simulator.url}/api/generate`, {
      method: "POST",
      body: JSON.stringify(body),
      signal: client.signal,
    });
    await until(() => simulator.stats().active === 1);
    const next = generate();
    await until(() => simulator.stats().waiting === 1);
    expect((await get(simulator, "/api/tags")).status).toBe(200);
    client.abort();
    await expect(hanging).rejects.toThrow("aborted");
    expect((await next).status).toBe(200);
  });

  test("hang after tokens: the stream begins and stops", async () => {
    simulator.setFault({ kind: "hang", after_tokens: 2 });
    const client = new AbortController();
    const response = await fetch(`${simulator.url}/api/generate`, {
      method: "POST",
      body: JSON.stringify(body),
      signal: client.signal,
    });
    const reader = response.body?.getReader();
    const { value } = (await reader?.read()) ?? {};
    expect(new TextDecoder().decode(value).trimEnd().split("\n")).toHaveLength(2);
    client.abort();
  });

  test("no_done: an orderly end that is none", async () => {
    simulator.setFault({ kind: "no_done", after_tokens: 4 });
    const { status, lines } = await generate();
    expect([status, lines.length, lines.at(-1)?.done]).toEqual([200, 4, false]);
    expect((await generate({ stream: false })).json).toMatchObject({ done: false });
  });

  test("in_band_error: 200, and a last line with nothing but the error", async () => {
    simulator.setFault({ kind: "in_band_error", after_tokens: 2, message: "CUDA error" });
    const { status, lines } = await generate();
    expect([status, lines.length, lines[2]]).toEqual([200, 3, { error: "CUDA error" }]);
    expect(await generate({ stream: false })).toMatchObject({ status: 500, json: { error: "CUDA error" } });
  });

  test("garbage: a line that is no JSON", async () => {
    simulator.setFault({ kind: "garbage", after_tokens: 1, message: "<html>" });
    expect((await generate()).text).toMatch(/\n<html>\n$/);
  });

  test("slow: tokens come at that speed", async () => {
    simulator.setFault({ kind: "slow", tokens_per_s: 100 });
    const { json } = await generate({ stream: false });
    expect(json.eval_duration).toBeGreaterThan(150e6);
  });

  test("empty: done, and nothing said", async () => {
    simulator.setFault({ kind: "empty" });
    expect((await generate({ stream: false })).json).toMatchObject({
      response: "",
      done: true,
      done_reason: "stop",
    });
  });

  test("answer: exactly that, whatever was asked for", async () => {
    simulator.setFault({ kind: "answer", message: '{"not": "by the schema"}' });
    expect((await generate({ stream: false, format: { type: "integer" } })).json.response).toBe(
      '{"not": "by the schema"}',
    );
  });

  test("terminated: a 500 that names the process, or a last line when it comes later", async () => {
    simulator.setFault({ kind: "terminated", times: 1 });
    expect(await generate()).toMatchObject({
      status: 500,
      json: { error: "llama-server process has terminated: signal: killed" },
    });
    simulator.setFault({ kind: "terminated", after_tokens: 1 });
    expect((await generate()).lines.at(-1)).toEqual({
      error: "llama-server process has terminated: signal: killed",
    });
  });

  test("runner_crash: everybody on that model fails, and it is loaded again", async () => {
    await using wide = await startSimulator({ models: ["a:1b"], numParallel: 2 });
    wide.setFault({ kind: "hang", match_prompt: "wait", after_tokens: 1 });
    wide.setFault({ kind: "runner_crash", match_prompt: "bomb" });
    const streaming = await fetch(`${wide.url}/api/generate`, {
      method: "POST",
      body: JSON.stringify({ ...body, prompt: "wait" }),
    });
    expect(await ask(wide, "/api/generate", { ...body, prompt: "bomb" })).toMatchObject({
      status: 500,
      json: { error: expect.stringContaining("model runner has unexpectedly stopped") },
    });
    expect(await streaming.text()).toMatch(
      /"done":false}\n{"error":"an error was encountered while running the model: unexpected EOF"}\n$/,
    );
    expect((await ask(wide, "/api/generate", body)).status).toBe(200);
    expect(wide.stats()).toMatchObject({ loads: 2, unloads: 1, failed: 2 });
  });

  test("crash on the nth request: every connection breaks, nothing is loaded, it comes back", async () => {
    simulator.setFault({ kind: "hang", after_tokens: 1, match_prompt: "wait" });
    simulator.setFault({ kind: "crash", nth: 2 });
    const open = await fetch(`${simulator.url}/api/generate`, {
      method: "POST",
      body: JSON.stringify({ ...body, prompt: "wait" }),
    });
    expect(await failure(generate())).toMatch(/ECONNRESET|UND_ERR_SOCKET/);
    expect(await failure(open.text())).toMatch(/ECONNRESET|UND_ERR_SOCKET/);
    expect(simulator.stats().loaded).toEqual([]);
    await isBack();
    expect((await generate()).status).toBe(200);
    expect(simulator.stats()).toMatchObject({ loads: 2, failed: 2, completed: 1, aborted: 0 });
  });

  test("crash with a down time: connections are refused until it is over", async () => {
    const url = simulator.url;
    simulator.crash(3_600_000);
    await until(() => simulator.stats().loaded.length === 0);
    expect(await failure(generate())).toBe("ECONNREFUSED");
    // Another crash ends the down time of the first.
    simulator.crash(1);
    await isBack();
    expect(simulator.url).toBe(url);
  });

  test("load_error: the load fails after its time, and the next request tries again", async () => {
    simulator.setFault({ kind: "load_error", times: 1 });
    expect(await generate()).toMatchObject({
      status: 500,
      json: { error: expect.stringContaining("out of memory") },
    });
    expect((await generate()).status).toBe(200);
  });

  test("load_stall: the load never ends, and every other model waits behind it", async () => {
    await generate();
    simulator.setFault({ kind: "load_stall", model: "b:1b" });
    const client = new AbortController();
    const stalled = fetch(`${simulator.url}/api/generate`, {
      method: "POST",
      body: JSON.stringify({ ...body, model: "b:1b" }),
      signal: client.signal,
    });
    await until(() => simulator.stats().loading === "b:1b");
    const behind = ask(simulator, "/api/embed", { model: "nomic-embed-text", input: "a" });
    await until(() => simulator.stats().pending === 1);
    expect((await generate()).status).toBe(200);
    client.abort();
    await expect(stalled).rejects.toThrow();
    expect((await behind).status).toBe(200);
  });
});

describe("faults strike embeddings", () => {
  const embed = () => ask(simulator, "/api/embed", { model: "nomic-embed-text", input: ["a", "b"] });

  test("and a broken runner is a 400 there", async () => {
    simulator.setFault({ kind: "runner_crash", times: 1 });
    expect(await embed()).toMatchObject({
      status: 400,
      json: { error: expect.stringMatching(/^do embedding request: .*EOF$/) },
    });
    expect((await embed()).status).toBe(200);
  });

  test("and a 500 at the older endpoint", async () => {
    simulator.setFault({ kind: "in_band_error", message: "broken pipe" });
    const { status, json } = await ask(simulator, "/api/embeddings", {
      model: "nomic-embed-text",
      prompt: "a",
    });
    expect([status, json]).toEqual([500, { error: "broken pipe" }]);
  });

  test("with a reset, a status or garbage", async () => {
    simulator.setFault([
      { kind: "reset", times: 1 },
      { kind: "503", nth: 2 },
      { kind: "garbage", nth: 3 },
    ]);
    expect(await failure(embed())).toBe("ECONNRESET");
    expect((await embed()).status).toBe(503);
    expect((await embed()).text).toContain("broken");
    expect((await embed()).status).toBe(200);
    expect(simulator.stats()).toMatchObject({ failed: 3, completed: 1, active: 0 });
  });
});

describe("over HTTP", () => {
  test("faults are added, shown with what they did, and cleared", async () => {
    const added = await ask(simulator, "/__simulator/faults", { kind: "503", times: 1 });
    expect(added.json).toEqual({
      faults: [{ id: "fault-1", kind: "status", status: 503, times: 1, seen: 0, struck: 0 }],
    });
    await generate();
    await generate();
    expect((await get(simulator, "/__simulator/faults")).json).toMatchObject({
      faults: [{ seen: 2, struck: 1 }],
    });
    expect((await ask(simulator, "/__simulator/faults?id=fault-9", undefined, "DELETE")).status).toBe(404);
    expect((await ask(simulator, "/__simulator/faults", undefined, "DELETE")).json).toEqual({ faults: [] });
  });

  test.each([
    ["{", "JSON"],
    ['{"kind":"x"}', "Allowed kinds: refuse"],
    ["[]x", "JSON"],
    ['{"kind":"hang","nth":0}', "nth: "],
  ])("%s is refused with what is allowed", async (text, message) => {
    const { status, json } = await ask(simulator, "/__simulator/faults", text);
    expect([status, json.error]).toEqual([400, expect.stringContaining(message)]);
  });

  test("requests, stats and reset show and forget what arrived at the GPU", async () => {
    await ask(simulator, "/api/chat", {
      model: "a:1b",
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "Hi" },
      ],
      options: { seed: 4 },
    });
    await generate({ stream: false });
    const { requests } = (await get(simulator, "/__simulator/requests?last=2")).json;
    expect(requests).toMatchObject([
      {
        path: "/api/chat",
        model: "a:1b",
        text: "Be brief.\nHi",
        stream: true,
        options: { seed: 4 },
        outcome: "completed",
      },
      { path: "/api/generate", text: "Hi", stream: false, body: { prompt: "Hi" } },
    ]);
    expect((await get(simulator, "/__simulator/stats")).json).toMatchObject({
      requests: 2,
      loads: 1,
      models: { "a:1b": { requests: 2 } },
    });
    await ask(simulator, "/__simulator/reset");
    expect((await get(simulator, "/__simulator/requests")).json).toEqual({ requests: [] });
    expect((await get(simulator, "/__simulator/stats")).json).toMatchObject({
      requests: 0,
      loads: 0,
      loaded: ["a:1b"],
    });
  });

  test("a crash on demand answers first", async () => {
    expect((await ask(simulator, "/__simulator/crash", { down_ms: 0 })).status).toBe(202);
    await until(() => simulator.stats().loaded.length === 0);
  });

  test("an unknown control names the known ones", async () => {
    expect(await get(simulator, "/__simulator/nothing")).toMatchObject({
      status: 404,
      text: expect.stringContaining("POST /__simulator/faults"),
    });
  });
});
