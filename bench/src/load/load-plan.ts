/** What the load generator does in one run: every connection sends its next request when it has its answer. */
export type LoadPlan = {
  readonly origin: string;
  readonly method: "GET" | "POST";
  /** Taken in turns. */
  readonly paths: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  /** JSON body; `#` in a text of it becomes a number that differs in every request. */
  readonly body?: string | undefined;
  /** Header with a value that differs in every request. */
  readonly uniqueHeader?: string | undefined;
  readonly expectedStatus: number;
  readonly connections: number;
  /** The connections begin spread over so long: calls that take equally long would otherwise stay in step for ever. */
  readonly spreadMs?: number | undefined;
  /** Stops after this long, or after this many requests. */
  readonly durationMs?: number | undefined;
  readonly requests?: number | undefined;
};

export type LoadResult = {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Part of one core that the generator itself used; near 1 it measures itself. */
  readonly generatorCpu: number;
  /** Bodies of the answers, of the first 5,000. */
  readonly bodies: readonly string[];
};
