import { beforeEach, describe, expect, test } from "vitest";
import { createManualClock, type ManualClock, settle } from "../../test/manual-clock.ts";
import { createModelCard } from "../models/model-card.ts";
import type { RunnerOptions } from "./runner-options.ts";
import type { Lease } from "./loaded-runners.ts";
import { QueueFullError, Scheduler, type SchedulerLimits } from "./scheduler.ts";

const limits: SchedulerLimits = {
  numParallel: 1,
  maxLoaded: 1,
  maxQueue: 512,
  loadMs: 1000,
  unloadMs: 0,
  keepAliveMs: 300_000,
  contextLength: 4096,
};

const options: RunnerOptions = {
  numCtx: undefined,
  numBatch: undefined,
  numGpu: -1,
  mainGpu: undefined,
  useMmap: undefined,
  numThread: 0,
  draftNumPredict: 0,
  shift: true,
};

let clock: ManualClock;
let events: string[];

beforeEach(() => {
  clock = createManualClock();
  events = [];
});

function create(changes: Partial<SchedulerLimits> = {}): Scheduler {
  return new Scheduler(
    clock,
    { ...limits, ...changes },
    {
      loaded: (model, reason) => events.push(`${reason} load ${model.name}`),
      loadAborted: (model) => events.push(`abort load ${model.name}`),
      unloaded: (model) => events.push(`unload ${model.name}`),
    },
  );
}

type Wanted = { numCtx?: number; keepAliveMs?: number; signal?: AbortSignal; loadError?: Error };

function ask(scheduler: Scheduler, name: string, wanted: Wanted = {}) {
  const state: { lease?: Lease; error?: unknown } = {};
  const loadFault = wanted.loadError && ({ kind: "error", error: wanted.loadError } as const);
  const request = {
    model: createModelCard(name),
    options: { ...options, numCtx: wanted.numCtx },
    keepAliveMs: wanted.keepAliveMs,
    loadFault,
  };
  void scheduler.schedule(request, wanted.signal ?? new AbortController().signal).then(
    (lease) => (state.lease = lease),
    (error) => (state.error = error),
  );
  return state;
}

function loaded(scheduler: Scheduler): string[] {
  return scheduler.runners.map(({ key }) => key);
}

describe("loading", () => {
  test("the first request waits for the load, the next one for a loaded model does not", async () => {
    const scheduler = create();
    const first = ask(scheduler, "a:1b");
    await clock.advance(999);
    expect(first.lease).toBeUndefined();
    expect(loaded(scheduler)).toEqual([]);
    await clock.advance(1);
    expect(first.lease).toBeDefined();
    const second = ask(scheduler, "a:1b");
    await settle();
    expect(second.lease?.runner).toBe(first.lease?.runner);
  });

  test("requests that arrive during the load share it", async () => {
    const scheduler = create();
    const all = [1, 2, 3].map(() => ask(scheduler, "a:1b"));
    await clock.advance(1000);
    expect(all.every(({ lease }) => lease !== undefined)).toBe(true);
    expect(events).toEqual(["cold load a:1b"]);
  });

  test("one model is loaded at a time, in the order of arrival", async () => {
    const scheduler = create({ maxLoaded: 3 });
    const [a, b] = [ask(scheduler, "a:1b"), ask(scheduler, "b:1b")];
    await clock.advance(1000);
    expect([a.lease !== undefined, b.lease !== undefined]).toEqual([true, false]);
    await clock.advance(1000);
    expect(b.lease).toBeDefined();
  });

  test("a load holds up everything behind it, but not a loaded model", async () => {
    const scheduler = create({ maxLoaded: 3 });
    const hot = ask(scheduler, "a:1b");
    await clock.advance(1000);
    const [b, c, more] = [ask(scheduler, "b:1b"), ask(scheduler, "c:1b"), ask(scheduler, "a:1b")];
    await settle();
    expect(more.lease?.runner).toBe(hot.lease?.runner);
    await clock.advance(1500);
    expect([b.lease !== undefined, c.lease !== undefined]).toEqual([true, false]);
  });

  test("a failed load is told to the one who asked, and the next one loads anew", async () => {
    const scheduler = create();
    const failed = ask(scheduler, "a:1b", { loadError: new Error("out of memory") });
    const next = ask(scheduler, "a:1b");
    await clock.advance(1000);
    expect(failed.error).toEqual(new Error("out of memory"));
    await clock.advance(1000);
    expect(next.lease).toBeDefined();
  });

  test("an embedding model gets one slot, whatever num-parallel says", async () => {
    const scheduler = create({ numParallel: 4, maxLoaded: 2 });
    const [chat, embed] = [ask(scheduler, "llama3.2:3b"), ask(scheduler, "nomic-embed-text:latest")];
    await clock.advance(2000);
    expect(chat.lease?.runner.slots.size).toBe(4);
    expect(embed.lease?.runner.slots.size).toBe(1);
  });
});

describe("the pending queue", () => {
  test("is full only around loads: a loaded model takes any number", async () => {
    const scheduler = create({ maxQueue: 2 });
    ask(scheduler, "a:1b");
    await clock.advance(1000);
    const many = Array.from({ length: 50 }, () => ask(scheduler, "a:1b"));
    await settle();
    expect(many.filter(({ lease }) => lease === undefined)).toEqual([]);
  });

  test("refuses what exceeds it while a model loads", async () => {
    const scheduler = create({ maxQueue: 2 });
    const all = Array.from({ length: 5 }, () => ask(scheduler, "a:1b"));
    await settle();
    // One is being placed and has left the queue.
    expect(all.map(({ error }) => error instanceof QueueFullError)).toEqual([
      false,
      false,
      false,
      true,
      true,
    ]);
    await clock.advance(1000);
    expect(all.slice(0, 3).every(({ lease }) => lease !== undefined)).toBe(true);
  });

  test("one who left keeps the place until the queue gets there", async () => {
    const scheduler = create({ maxQueue: 1 });
    const client = new AbortController();
    ask(scheduler, "a:1b");
    await settle();
    const left = ask(scheduler, "b:1b", { signal: client.signal });
    client.abort(new Error("gone"));
    await settle();
    expect(left.error).toEqual(new Error("gone"));
    const third = ask(scheduler, "c:1b");
    await settle();
    expect(third.error).toBeInstanceOf(QueueFullError);
  });

  test("nothing is loaded for one who left while waiting", async () => {
    const scheduler = create({ maxLoaded: 2 });
    const client = new AbortController();
    ask(scheduler, "a:1b");
    ask(scheduler, "b:1b", { signal: client.signal });
    client.abort(new Error("gone"));
    await clock.advance(5000);
    expect(events).toEqual(["cold load a:1b"]);
  });
});

describe("eviction", () => {
  test("an idle model makes room", async () => {
    const scheduler = create();
    const a = ask(scheduler, "a:1b");
    await clock.advance(1000);
    a.lease?.release();
    ask(scheduler, "b:1b");
    await clock.advance(1000);
    expect(events).toEqual(["cold load a:1b", "unload a:1b", "swap load b:1b"]);
  });

  test("a busy victim is waited for", async () => {
    const scheduler = create();
    const a = ask(scheduler, "a:1b");
    await clock.advance(1000);
    const b = ask(scheduler, "b:1b");
    await clock.advance(60_000);
    expect(loaded(scheduler)).toEqual(["a:1b"]);
    a.lease?.release();
    await clock.advance(1000);
    expect(b.lease?.runner.key).toBe("b:1b");
  });

  test("requests for the victim still overtake the one who waits for it", async () => {
    const scheduler = create();
    const a = ask(scheduler, "a:1b");
    await clock.advance(1000);
    const b = ask(scheduler, "b:1b");
    await settle();
    const late = ask(scheduler, "a:1b");
    await settle();
    expect(late.lease).toBeDefined();
    a.lease?.release();
    await clock.advance(5000);
    expect(b.lease).toBeUndefined();
    late.lease?.release();
    await clock.advance(1000);
    expect(b.lease).toBeDefined();
  });

  test("an explicit keep_alive for the victim undoes the eviction: cold loads starve", async () => {
    const scheduler = create();
    const a = ask(scheduler, "a:1b");
    await clock.advance(1000);
    const b = ask(scheduler, "b:1b");
    await settle();
    const late = ask(scheduler, "a:1b", { keepAliveMs: Number.POSITIVE_INFINITY });
    await settle();
    a.lease?.release();
    late.lease?.release();
    await clock.advance(600_000);
    expect(b.lease).toBeUndefined();
    expect(loaded(scheduler)).toEqual(["a:1b"]);
  });

  test("loading starts when the memory of the victim is free again", async () => {
    const scheduler = create({ unloadMs: 500 });
    const a = ask(scheduler, "a:1b");
    await clock.advance(1000);
    a.lease?.release();
    const b = ask(scheduler, "b:1b");
    await clock.advance(1499);
    expect(b.lease).toBeUndefined();
    await clock.advance(1);
    expect(b.lease).toBeDefined();
  });

  test("equal keep_alive: the same model is thrown out again and again", async () => {
    const scheduler = create({ maxLoaded: 2 });
    for (const name of ["a:1b", "b:1b", "c:1b", "a:1b", "c:1b"]) {
      const asked = ask(scheduler, name);
      await clock.advance(1000);
      asked.lease?.release();
    }
    expect(events.filter((event) => event.startsWith("unload"))).toEqual(["unload a:1b", "unload b:1b"]);
  });
});

describe("reload", () => {
  test("another num_ctx reloads the model, after those who use it", async () => {
    const scheduler = create();
    const first = ask(scheduler, "a:1b", { numCtx: 8192 });
    await clock.advance(1000);
    const second = ask(scheduler, "a:1b", { numCtx: 4096 });
    await clock.advance(5000);
    expect(second.lease).toBeUndefined();
    first.lease?.release();
    await clock.advance(1000);
    expect(second.lease?.runner.numCtx).toBe(4096);
    expect(events).toEqual(["cold load a:1b", "unload a:1b", "reload load a:1b"]);
  });

  test("a model that must be reloaded does not push out another one", async () => {
    const scheduler = create({ maxLoaded: 2 });
    for (const [name, numCtx] of [
      ["a:1b", 1024],
      ["b:1b", 1024],
      ["b:1b", 2048],
    ] as const) {
      const asked = ask(scheduler, name, { numCtx });
      await clock.advance(1000);
      asked.lease?.release();
    }
    expect(loaded(scheduler)).toEqual(["a:1b", "b:1b"]);
  });
});

describe("keep_alive", () => {
  test("unloads an idle model when its time is over, and not before", async () => {
    const scheduler = create({ keepAliveMs: 10_000 });
    const a = ask(scheduler, "a:1b");
    await clock.advance(1000);
    await clock.advance(60_000);
    expect(loaded(scheduler)).toEqual(["a:1b"]);
    a.lease?.release();
    await clock.advance(9_999);
    expect(loaded(scheduler)).toEqual(["a:1b"]);
    await clock.advance(1);
    expect(loaded(scheduler)).toEqual([]);
  });

  test("starts again with every request", async () => {
    const scheduler = create({ keepAliveMs: 10_000 });
    for (let i = 0; i < 3; i++) {
      const asked = ask(scheduler, "a:1b");
      await clock.advance(6_000);
      asked.lease?.release();
    }
    await clock.advance(9_000);
    expect(events).toEqual(["cold load a:1b"]);
  });

  test("the last one to name it decides for all", async () => {
    const scheduler = create();
    const long = ask(scheduler, "a:1b", { keepAliveMs: 60_000 });
    await clock.advance(1000);
    const short = ask(scheduler, "a:1b", { keepAliveMs: 1_000 });
    await settle();
    short.lease?.release();
    long.lease?.release();
    await clock.advance(1_000);
    expect(loaded(scheduler)).toEqual([]);
  });

  test("of zero unloads when the last user is gone", async () => {
    const scheduler = create();
    const a = ask(scheduler, "a:1b", { keepAliveMs: 0 });
    await clock.advance(1000);
    expect(loaded(scheduler)).toEqual(["a:1b"]);
    a.lease?.release();
    expect(loaded(scheduler)).toEqual([]);
  });

  test("for ever sets no timer", async () => {
    const scheduler = create();
    const a = ask(scheduler, "a:1b", { keepAliveMs: Number.POSITIVE_INFINITY });
    await clock.advance(1000);
    a.lease?.release();
    expect(clock.timers).toBe(0);
  });

  test("an unload on request waits for those who use the model", async () => {
    const scheduler = create();
    const a = ask(scheduler, "a:1b");
    await clock.advance(1000);
    scheduler.expire(createModelCard("a:1b"));
    expect(loaded(scheduler)).toEqual(["a:1b"]);
    a.lease?.release();
    expect(loaded(scheduler)).toEqual([]);
  });
});

describe("abort", () => {
  test("kills a load, and the next request starts it from the beginning", async () => {
    const scheduler = create();
    const client = new AbortController();
    const first = ask(scheduler, "a:1b", { signal: client.signal });
    const second = ask(scheduler, "a:1b");
    await clock.advance(900);
    client.abort(new Error("gone"));
    await clock.advance(900);
    expect(first.error).toEqual(new Error("gone"));
    expect(second.lease).toBeUndefined();
    await clock.advance(100);
    expect(second.lease).toBeDefined();
    expect(events).toEqual(["abort load a:1b", "cold load a:1b"]);
  });

  test("while a victim is awaited: it is still evicted, and nothing is loaded", async () => {
    const scheduler = create();
    const client = new AbortController();
    const a = ask(scheduler, "a:1b");
    await clock.advance(1000);
    ask(scheduler, "b:1b", { signal: client.signal });
    await settle();
    client.abort(new Error("gone"));
    a.lease?.release();
    await clock.advance(5000);
    expect(events).toEqual(["cold load a:1b", "unload a:1b", "abort load b:1b"]);
  });
});

describe("slots", () => {
  test("are given in the order of arrival, and a leaver in the line is skipped", async () => {
    const scheduler = create();
    const asked = ask(scheduler, "a:1b");
    await clock.advance(1000);
    const slots = asked.lease?.runner.slots;
    const order: string[] = [];
    const client = new AbortController();
    const take = (name: string, signal = new AbortController().signal) =>
      slots?.acquire(signal).then((leave) => {
        order.push(name);
        return leave;
      });
    const first = take("first");
    const left = take("left", client.signal)?.catch(() => order.push("gone"));
    const third = take("third");
    client.abort();
    await left;
    expect(slots?.waiting).toBe(1);
    (await first)?.();
    (await third)?.();
    expect(order).toEqual(["first", "gone", "third"]);
    expect(slots?.used).toBe(0);
  });

  test("freeing twice frees once", async () => {
    const scheduler = create({ numParallel: 2 });
    const asked = ask(scheduler, "a:1b");
    await clock.advance(1000);
    const slots = asked.lease?.runner.slots;
    const signal = new AbortController().signal;
    const [leave] = [await slots?.acquire(signal), await slots?.acquire(signal)];
    leave?.();
    leave?.();
    expect(slots?.used).toBe(1);
  });
});

describe("crashes", () => {
  test("of a model: its users are told, the next request loads it anew", async () => {
    const scheduler = create();
    const a = ask(scheduler, "a:1b");
    await clock.advance(1000);
    const runner = a.lease?.runner;
    if (runner !== undefined) scheduler.crash(runner, new Error("segfault"));
    expect(runner?.crash.signal.reason).toEqual(new Error("segfault"));
    const next = ask(scheduler, "a:1b");
    await clock.advance(1000);
    a.lease?.release();
    expect(next.lease?.runner).not.toBe(runner);
    expect(loaded(scheduler)).toEqual(["a:1b"]);
  });

  test("of the server: everybody is told, nothing is loaded, and it works again", async () => {
    const scheduler = create();
    const a = ask(scheduler, "a:1b");
    await clock.advance(1000);
    const [placing, waiting] = [ask(scheduler, "b:1b"), ask(scheduler, "c:1b")];
    await settle();
    scheduler.crashAll(new Error("killed"));
    await settle();
    expect([placing.error, waiting.error]).toEqual([new Error("killed"), new Error("killed")]);
    expect(a.lease?.runner.crash.signal.aborted).toBe(true);
    expect(loaded(scheduler)).toEqual([]);
    expect(clock.timers).toBe(0);
    const again = ask(scheduler, "d:1b");
    await clock.advance(1000);
    expect(again.lease).toBeDefined();
  });
});
