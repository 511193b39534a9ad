/** What is learned of a model: sums over its last jobs, older ones fading, so that every rate is a quotient. */
export type ModelSums = {
  readonly jobs: number;
  readonly promptChars: number;
  readonly promptTokens: number;
  readonly promptMs: number;
  readonly outputTokens: number;
  readonly outputMs: number;
  readonly loads: number;
  readonly loadMs: number;
};

/** What a model's jobs cost, as learned so far. */
export type ModelCosts = {
  readonly charsPerToken: number;
  readonly msPerPromptToken: number;
  readonly msPerOutputToken: number;
  /** Mean length of an answer. */ readonly outputTokens: number;
  /** To bring it into memory, other models thrown out where that is needed. */ readonly loadMs: number;
};

/** Where learning begins: about one job of a 7B model on one GPU. It fades as jobs end. */
export const priorSums: ModelSums = {
  jobs: 1,
  promptChars: 2_000,
  promptTokens: 500,
  promptMs: 500,
  outputTokens: 200,
  outputMs: 4_000,
  loads: 1,
  loadMs: 5_000,
};

export function modelCosts(sums: ModelSums = priorSums): ModelCosts {
  return {
    charsPerToken: quotient(sums.promptChars, sums.promptTokens, 4),
    msPerPromptToken: quotient(sums.promptMs, sums.promptTokens, 1),
    msPerOutputToken: quotient(sums.outputMs, sums.outputTokens, 20),
    outputTokens: quotient(sums.outputTokens, sums.jobs, 200),
    loadMs: quotient(sums.loadMs, sums.loads, 5_000),
  };
}

/** A model that only embeds writes nothing: some sums fade away altogether. */
function quotient(over: number, under: number, fallback: number): number {
  return under > 1e-6 && over >= 0 ? over / under : fallback;
}
