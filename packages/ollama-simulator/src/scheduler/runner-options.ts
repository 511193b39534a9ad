/** The options a model is started with: another value means another process. */
export type RunnerOptions = {
  /** Undefined: the server chose it, so that any running value will do. */
  numCtx: number | undefined;
  numBatch: number | undefined;
  numGpu: number;
  mainGpu: number | undefined;
  useMmap: boolean | undefined;
  numThread: number;
  draftNumPredict: number;
  shift: boolean;
};
