import { expect, test } from "vitest";
import { fingerprintOf, stripVariableParts } from "./fingerprint.ts";

const id = "j01jd5k8x0abcdefghjkmnpqrstvwxyz01";

test.each([
  ["silent for 120 s", "silent for # s"],
  ["silent for 1.5 s", "silent for # s"],
  ["connect ECONNREFUSED 10.0.0.7:11434", "connect ECONNREFUSED #"],
  [`job ${id} is lost`, "job # is lost"],
  ["request 5f0c1b8e-9a0b-4c3d-8e7f-001122334455 failed", "request # failed"],
  ["blob sha256-9f86d081884c7d65 is missing", "blob sha#-# is missing"],
  ["CUDA error at 0xdeadbeef01", "CUDA error at #"],
  ["runner  exited:\n exit status 2", "runner exited: exit status #"],
  ["the faded facade", "the faded facade"],
  ["", ""],
])("%j becomes %j", (message, stripped) => {
  expect(stripVariableParts(message)).toBe(stripped);
});

test("failures of one kind share a fingerprint, whatever their numbers", () => {
  const a = fingerprintOf({ code: "backend_stuck", message: "silent for 120 s" }, "llama3.2:3b");
  expect(a).toMatch(/^backend_stuck-[0-9a-f]{12}$/);
  expect(fingerprintOf({ code: "backend_stuck", message: "silent for 90 s" }, "llama3.2:3b")).toBe(a);
});

test.each([
  ["another code", { code: "backend_reset", message: "silent for 1 s" }, "llama3.2:3b"],
  ["another message", { code: "backend_stuck", message: "gone for 1 s" }, "llama3.2:3b"],
  ["another model", { code: "backend_stuck", message: "silent for 1 s" }, "qwen3:8b"],
])("%s makes another fingerprint", (_, failure, model) => {
  const known = fingerprintOf({ code: "backend_stuck", message: "silent for 1 s" }, "llama3.2:3b");
  expect(fingerprintOf(failure, model)).not.toBe(known);
});
