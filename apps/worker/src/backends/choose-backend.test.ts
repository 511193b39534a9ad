import { expect, test } from "vitest";
import type { Backend } from "./backend.ts";
import { chooseBackend } from "./choose-backend.ts";

type Seen = { name: string; serves?: boolean; busy?: number; slots?: number; loaded?: boolean };

function backend({ name, serves = true, busy = 0, slots = 2, loaded = false }: Seen): Backend {
  const seen: Pick<Backend, "name" | "slots" | "models" | "serves" | "busy"> = {
    name,
    slots,
    models: [
      { name: "m", loaded },
      { name: "other", loaded: true },
    ],
    serves: () => serves,
    busy: () => busy,
  };
  return seen as Backend;
}

const rows: readonly (readonly [string, Seen[], string | undefined, string | undefined])[] = [
  ["none there", [], undefined, undefined],
  ["none that serves the model", [{ name: "a", serves: false }], undefined, undefined],
  ["none with a free slot", [{ name: "a", busy: 2 }], undefined, undefined],
  ["the only one", [{ name: "a" }], undefined, "a"],
  ["the one it failed on, if there is no other", [{ name: "a" }, { name: "b", busy: 2 }], "a", "a"],
  [
    "another than the one it failed on",
    [
      { name: "a", loaded: true },
      { name: "b", busy: 1 },
    ],
    "a",
    "b",
  ],
  ["one that has the model loaded", [{ name: "a" }, { name: "b", busy: 1, loaded: true }], undefined, "b"],
  ["the one with the fewest calls", [{ name: "a", busy: 1 }, { name: "b" }], undefined, "b"],
  ["the first of equals", [{ name: "b" }, { name: "a" }], undefined, "b"],
  ["a host it failed on that is not ours", [{ name: "a" }], "gone", "a"],
];

test.each(rows)("%s", (_, hosts, avoid, chosen) => {
  expect(chooseBackend(hosts.map(backend), "m", avoid, 0)?.name).toBe(chosen);
});
