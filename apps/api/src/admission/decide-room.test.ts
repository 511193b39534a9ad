import { expect, test } from "vitest";
import { decideRoom } from "./decide-room.ts";

const limits = { jobsWaitingMax: 10, backlogSMax: 100, redisMemoryHighWater: 0.9 };

test.each([
  ["there is room", 0, 0, 5, { kind: "room" }],
  ["up to the very limits", 9, 0.89, 100, { kind: "room" }],
  ["work nobody can tell is no reason", 9, 0, undefined, { kind: "room" }],
  ["too many jobs", 12, 0, 5, { kind: "count", excess: 3 }],
  ["too much work", 5, 0, 130, { kind: "work", backlogS: 130, excessS: 30 }],
  ["too little memory comes before all", 12, 0.9, 130, { kind: "memory" }],
] as const)("%s", (_, waiting, memoryUsed, backlogS, decision) => {
  expect(decideRoom({ waiting, memoryUsed }, backlogS, limits)).toEqual(decision);
});
