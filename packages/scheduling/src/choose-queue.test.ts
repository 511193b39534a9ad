import { describe, expect, test } from "vitest";
import { chooseQueue, type Host, type WaitingQueue } from "./choose-queue.ts";

const now = 1_000_000;

const queue = (name: string, fields: Partial<WaitingQueue> = {}): WaitingQueue => ({
  name,
  affinity: name,
  tag: 1_000,
  sinceMs: now,
  passedOverMsMax: 60_000,
  backlogMs: 2_000,
  slotsElsewhere: 0,
  ...fields,
});

type Seen = {
  loaded?: string[];
  loading?: string;
  room?: boolean | undefined;
  spare?: boolean;
  busy?: number;
  slots?: number;
  free?: number | Record<string, number>;
  swapMs?: number;
  steadyMs?: number;
  passedOver?: Record<string, number>;
  clashes?: string;
};
const host = (name: string, seen: Seen = {}): Host => ({
  name,
  loaded: new Set(seen.loaded),
  loading: seen.loading,
  room: "room" in seen ? seen.room : false,
  spare: seen.spare ?? false,
  busy: seen.busy ?? 0,
  steadyMs: seen.steadyMs ?? 12_000,
  slots: () => seen.slots ?? 1,
  free: ({ name: of }) => (typeof seen.free === "object" ? (seen.free[of] ?? 0) : (seen.free ?? 1)),
  swapMs: () => seen.swapMs ?? 3_000,
  passedOverMs: ({ name: of }) => seen.passedOver?.[of] ?? 0,
  clashes: ({ name: of }) => of === seen.clashes,
});

function chosen(queues: WaitingQueue[], hosts: Host[]): string | undefined {
  const choice = chooseQueue(queues, hosts, now);
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
        "the loaded one, however much more the other one is owed, while that can wait",
        [queue("a", { tag: 3_000_000 }), queue("b", { tag: 10 })],
        [host("h", { loaded: ["a"], passedOver: { b: 56_999 } })],
        "a on h",
      ],
      [
        "of those that are not loaded the one that is owed most",
        [queue("b", { tag: 20 }), queue("c", { tag: 10, backlogMs: 1 })],
        [host("h", { loaded: ["a"] })],
        "c on h, cold",
      ],
      [
        "but first who has been passed over for longer",
        [queue("b", { tag: 20 }), queue("c", { tag: 10 })],
        [host("h", { loaded: ["a"], passedOver: { b: 2_000, c: 1_000 } })],
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
        "but not the loaded one with other options, for which there is never room",
        [queue("a"), queue("b")],
        [host("h", { loaded: ["a"], free: { b: 1 }, room: true, clashes: "b" })],
        undefined,
      ],
    ),
  )("%s", (_, queues, hosts, expected) => {
    expect(chosen(queues, hosts)).toBe(expected);
  });
});

describe("a head that is passed over for the sake of a loaded model", () => {
  const loaded = (passedOver: Record<string, number>, seen: Seen = {}): Host[] => [
    host("h", { loaded: ["a"], passedOver, ...seen }),
  ];
  const [a, b, c] = [queue("a", { tag: 1 }), queue("b"), queue("c")];
  const long = { backlogMs: 90_000 };
  test.each(
    rows(
      ["waits while there is time to load its model", [a, b], loaded({ b: 56_999 }), "a on h"],
      ["goes first when that is over", [a, b], loaded({ b: 57_000 }), "b on h, cold"],
      [
        "goes by the bound of its own lane",
        [a, queue("b", { passedOverMsMax: 5_000 }), c],
        loaded({ b: 2_000, c: 20_000 }),
        "b on h, cold",
      ],
      [
        "goes before the next job of the loaded model, whose slots are all taken",
        [a, b],
        loaded({ b: 57_000 }, { free: { b: 1 } }),
        "b on h, cold",
      ],
      [
        "waits for what was only just loaded, so that a host does not load all the time",
        [a, b],
        loaded({ b: 99_000 }, { steadyMs: 11_999 }),
        "a on h",
      ],
      [
        "goes earlier where another one must have its turn in time as well",
        [a, queue("b", long), queue("c", { ...long, tag: 2_000 })],
        loaded({ b: 48_000, c: 48_000 }),
        "b on h, cold",
      ],
      [
        "and not yet, while two loads and a turn fit before that",
        [a, queue("b", long), queue("c", long)],
        loaded({ b: 47_999, c: 47_999 }),
        "a on h",
      ],
      [
        "nor when the turn of the first is a short one",
        [a, queue("b", { backlogMs: 1_000 }), queue("c", long)],
        loaded({ b: 52_000, c: 52_000 }),
        "a on h",
      ],
      [
        "goes when it was passed over for as long as the load takes, where nobody knows whether there is room",
        [a, b],
        loaded({ b: 3_000 }, { room: undefined }),
        "b on h, cold",
      ],
      [
        "and where nobody wants what it would throw out",
        [a, b],
        loaded({ b: 3_000 }, { spare: true }),
        "b on h, cold",
      ],
      [
        "but not for options of its own model that are still wanted",
        [a, b],
        loaded({ b: 3_000 }, { spare: true, clashes: "b" }),
        "a on h",
      ],
      ["and no sooner", [a, b], loaded({ b: 2_999 }, { spare: true }), "a on h"],
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
        "but not with the model it loads, as it was",
        [queue("a")],
        [host("h", { loaded: ["a"], loading: "b", room: true, clashes: "a" })],
        undefined,
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
        "nor does it push out another model whose jobs wait, without being passed over",
        [queue("a", { backlogMs: 90_000 }), queue("b")],
        [busyHome, host("h", { loaded: ["b"] })],
        "b on h",
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
