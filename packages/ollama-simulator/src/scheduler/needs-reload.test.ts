import { expect, test } from "vitest";
import { needsReload } from "./needs-reload.ts";
import type { RunnerOptions } from "./runner-options.ts";

const automatic: RunnerOptions = {
  numCtx: undefined,
  numBatch: undefined,
  numGpu: -1,
  mainGpu: undefined,
  useMmap: undefined,
  numThread: 0,
  draftNumPredict: 0,
  shift: true,
};

test.each<[string, Partial<RunnerOptions>, Partial<RunnerOptions>, boolean]>([
  ["nothing said, nothing wanted", {}, {}, false],
  ["the same num_ctx", { numCtx: 8192 }, { numCtx: 8192 }, false],
  ["a larger num_ctx", { numCtx: 4096 }, { numCtx: 8192 }, true],
  ["a smaller num_ctx, which would fit", { numCtx: 8192 }, { numCtx: 4096 }, true],
  ["explicit against automatic", {}, { numCtx: 4096 }, true],
  ["automatic against explicit", { numCtx: 8192 }, {}, true],
  ["more than the model was trained for is capped", { numCtx: 32768 }, { numCtx: 99999 }, false],
  ["num_batch", {}, { numBatch: 256 }, true],
  ["num_gpu left to the server", { numGpu: 20 }, { numGpu: -1 }, false],
  ["another num_gpu", { numGpu: -1 }, { numGpu: 20 }, true],
  ["main_gpu", {}, { mainGpu: 1 }, true],
  ["use_mmap", {}, { useMmap: false }, true],
  ["use_mmap left to the server", { useMmap: false }, {}, false],
  ["num_thread", {}, { numThread: 4 }, true],
  ["draft_num_predict", {}, { draftNumPredict: 2 }, true],
  ["shift", {}, { shift: false }, true],
])("%s", (_title, running, wanted, expected) => {
  expect(needsReload({ ...automatic, ...running }, { ...automatic, ...wanted }, 32768)).toBe(expected);
});
