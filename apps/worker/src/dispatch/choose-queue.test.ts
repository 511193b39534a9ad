import { describe, expect, test } from "vitest";
import { chooseQueue, type Host, type WaitingQueue } from "./choose-queue.ts";

const now = 1_000_000;
/** One tick a millisecond, so that the rows can be read. */
const swapTicks = (ms: number): number => ms;

const queue = (name: string, fields: Partial<WaitingQueue> = {}): WaitingQueue => ({
  name,
  affinity: name,
  tag: 1_000,
  sinceMs: now,
  overtakenMs: undefined,
  overtakenMsMax: 60_000,
  backlogMs: 2_000,
  slotsElsewhere: 0,
  ...fields,
});

type Seen = {
  loaded?: string[];
  loading?: string;
  room?: boolean;
  busy?: number;
  slots?: number;
  free?: number | Record<string, number>;
  swapMs?: number;
  steadyMs?: number;
};
const host = (name: string, seen: Seen = {}): Host => ({
  name,
  loaded: new Set(seen.loaded),
  loading: seen.loading,
  room: seen.room,
  busy: seen.busy ?? 0,
  steadyMs: seen.steadyMs ?? 0,
  slots: () => seen.slots ?? 1,
  free: ({ name: of }) => (typeof seen.free === "object" ? (seen.free[of] ?? 0) : (seen.free ?? 1)),
  swapMs: () => seen.swapMs ?? 3_000,
});

function chosen(queues: WaitingQueue[], hosts: Host[]): string | undefined {
  const choice = chooseQueue(queues, hosts, now, swapTicks);
  return choice && `${choice.queue.name} on ${choice.host.name}${choice.cold ? ", cold" : ""}`;
}

type Row = readonly [title: string, WaitingQueue[], Host[], string | undefined];
const rows = (...all: Row[]): Row[] => all;

describe("which queue", () => {
  test.each(
    rows(
      ["nothing waits", [], [host("h")], undefined],
      ["no host", [queue("a")], [], undefined],
      ["no slot", [queue("a")], [host("h", { free: 0 })], undefined],
      ["the only one, loaded", [queue("a")], [host("h", { loaded: ["a"] })], "a on h"],
      ["the only one, not loaded", [queue("a")], [host("h", { loaded: ["b"] })], "a on h, cold"],
      [
        "the lower tag of two that are loaded",
        [queue("a", { tag: 20 }), queue("b", { tag: 10 })],
        [host("h", { loaded: ["a", "b"] })],
        "b on h",
      ],
      [
        "the loaded one, while it is owed at most the swap less",
        [queue("a", { tag: 3_010 }), queue("b", { tag: 10 })],
        [host("h", { loaded: ["a"] })],
        "a on h",
      ],
      [
        "the other one, as soon as it is owed more than the swap",
        [queue("a", { tag: 3_011 }), queue("b", { tag: 10 })],
        [host("h", { loaded: ["a"] })],
        "b on h, cold",
      ],
      [
        "at equal tags the one that has waited longer",
        [queue("a"), queue("b", { sinceMs: now - 5 })],
        [host("h", { loaded: ["a", "b"] })],
        "b on h",
      ],
      [
        "at equal tags and times always the same one",
        [queue("b"), queue("a")],
        [host("h", { loaded: ["a", "b"] })],
        "a on h",
      ],
      [
        "the next, where the one that is owed most has no slot",
        [queue("a", { tag: 1 }), queue("b", { tag: 2 })],
        [host("h", { loaded: ["a", "b"], free: { b: 1 } })],
        "b on h",
      ],
      [
        "none, where the loaded model's slots are taken and the other one would throw it out",
        [queue("a"), queue("b")],
        [host("h", { loaded: ["a"], free: { b: 1 } })],
        undefined,
      ],
      [
        "the other one, where there is room for both",
        [queue("a"), queue("b")],
        [host("h", { loaded: ["a"], free: { b: 1 }, room: true })],
        "b on h, cold",
      ],
      [
        "the other one, which is owed more, before the loaded one has a slot",
        [queue("a", { tag: 9_000 }), queue("b")],
        [host("h", { loaded: ["a"], free: { b: 1 } })],
        "b on h, cold",
      ],
    ),
  )("%s", (_, queues, hosts, expected) => {
    expect(chosen(queues, hosts)).toBe(expected);
  });
});

describe("a head that is passed over for the sake of a loaded model", () => {
  const hosts = [host("h", { loaded: ["a"] })];
  const passedOver = (ms: number, overtakenMsMax = 60_000) =>
    queue("b", { tag: 2_000_000, overtakenMs: now - ms, overtakenMsMax });
  test.each(
    rows(
      ["waits while its time is not up", [queue("a"), passedOver(60_000)], hosts, "a on h"],
      ["goes first when it is, whatever it costs", [queue("a"), passedOver(60_001)], hosts, "b on h, cold"],
      ["goes by the bound of its own lane", [queue("a"), passedOver(6_000, 5_000)], hosts, "b on h, cold"],
      [
        "goes before others that are less overdue",
        [passedOver(61_000), queue("c", { tag: 1, overtakenMs: now - 90_000 })],
        hosts,
        "c on h, cold",
      ],
      [
        "takes turns with another one, so that both have theirs in time",
        [queue("a"), passedOver(30_001), queue("c", { tag: 2_000_000, overtakenMs: now - 30_000 })],
        [host("h", { loaded: ["a"], steadyMs: 30_000 })],
        "b on h, cold",
      ],
      [
        "does not throw out what was only just loaded, while there is time for all",
        [queue("a"), passedOver(50_000), queue("c", { tag: 2_000_000, overtakenMs: now - 50_000 })],
        [host("h", { loaded: ["a"], steadyMs: 29_999 })],
        "a on h",
      ],
      [
        "goes before the next job of the loaded model, whose slots are all taken",
        [queue("a"), passedOver(90_000)],
        [host("h", { loaded: ["a"], free: { b: 1 } })],
        "b on h, cold",
      ],
    ),
  )("%s", (_, queues, all, expected) => {
    expect(chosen(queues, all)).toBe(expected);
  });
});

describe("while a host loads", () => {
  test.each(
    rows(
      [
        "it is given more for the model it loads",
        [queue("b")],
        [host("h", { loaded: ["a"], loading: "b" })],
        "b on h",
      ],
      [
        "it is given nothing for a model that may be the victim",
        [queue("a", { tag: 0 })],
        [host("h", { loaded: ["a"], loading: "b" })],
        undefined,
      ],
      [
        "it goes on with the others if it has room for all",
        [queue("a")],
        [host("h", { loaded: ["a"], loading: "b", room: true })],
        "a on h",
      ],
      [
        "it is given no second load",
        [queue("c")],
        [host("h", { loaded: ["a"], loading: "b", room: true })],
        undefined,
      ],
    ),
  )("%s", (_, queues, hosts, expected) => {
    expect(chosen(queues, hosts)).toBe(expected);
  });
});

describe("where", () => {
  const busyHome = host("home", { loaded: ["a"], free: 0, slots: 2 });
  test.each(
    rows(
      [
        "where it is loaded",
        [queue("a")],
        [host("g", { loaded: ["b"] }), host("h", { loaded: ["a"], busy: 5 })],
        "a on h",
      ],
      [
        "of those the one with fewer calls",
        [queue("a")],
        [host("g", { loaded: ["a"], busy: 1 }), host("h", { loaded: ["a"] })],
        "a on h",
      ],
      [
        "a model without a home goes to the empty host",
        [queue("a")],
        [host("g", { loaded: ["b"], room: true }), host("h")],
        "a on h, cold",
      ],
      [
        "or to one that has room",
        [queue("a")],
        [host("g", { loaded: ["b"], room: false }), host("h", { loaded: ["b"], room: true })],
        "a on h, cold",
      ],
      ["a cold model waits for its busy home", [queue("a")], [busyHome, host("h")], undefined],
      [
        "a hot one gets a replica: its backlog would keep its home busy for longer than the load takes",
        [queue("a", { backlogMs: 6_001 })],
        [busyHome, host("h")],
        "a on h, cold",
      ],
      [
        "so does one whose head has waited for longer than the load takes",
        [queue("a", { sinceMs: now - 3_001 })],
        [busyHome, host("h")],
        "a on h, cold",
      ],
      [
        "a model without a home goes before a replica of another one",
        [queue("a", { backlogMs: 90_000, sinceMs: now - 9_000 }), queue("b")],
        [busyHome, host("h")],
        "b on h, cold",
      ],
      [
        "a model that another worker has loaded is not loaded for one job",
        [queue("a", { slotsElsewhere: 1 })],
        [host("h")],
        undefined,
      ],
      [
        "and one that is being loaded counts as loaded",
        [queue("a")],
        [host("home", { loading: "a", free: 0 }), host("h")],
        undefined,
      ],
    ),
  )("%s", (_, queues, hosts, expected) => {
    expect(chosen(queues, hosts)).toBe(expected);
  });
});
