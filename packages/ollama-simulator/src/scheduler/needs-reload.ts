import type { RunnerOptions } from "./runner-options.ts";

/**
 * Ollama's needsReload. Automatic against automatic never differs; explicit against automatic does,
 * even for a smaller context (ollama issue 12783).
 */
export function needsReload(
  running: RunnerOptions,
  wanted: RunnerOptions,
  contextLengthMax: number,
): boolean {
  const capped = wanted.numCtx === undefined ? undefined : Math.min(wanted.numCtx, contextLengthMax);
  if (running.numCtx !== capped || running.numBatch !== wanted.numBatch) return true;
  if (wanted.numGpu >= 0 && running.numGpu !== wanted.numGpu) return true;
  if (wanted.useMmap !== undefined && running.useMmap !== wanted.useMmap) return true;
  return (
    running.mainGpu !== wanted.mainGpu ||
    running.numThread !== wanted.numThread ||
    running.draftNumPredict !== wanted.draftNumPredict ||
    running.shift !== wanted.shift
  );
}
