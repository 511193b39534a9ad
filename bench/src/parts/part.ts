import type { Figure } from "../figure.ts";
import type { LoadGenerator } from "../load/open-load-generator.ts";
import type { InstantOllama } from "../ollama/open-instant-ollama.ts";

type PartContext = {
  readonly generator: LoadGenerator;
  readonly ollama: InstantOllama;
  readonly say: (text: string) => void;
  /** What is played faster than what it stands for is to be as slow. */ readonly realTime: boolean;
};

export type Part = (context: PartContext) => Promise<Figure[]>;

/** About 200 bytes, as a short question has; `#` makes each one different. */
export const prompt =
  "Request #: A customer writes that the parcel which should have come on Monday is still not there. Write a friendly answer of at most three sentences which says that we look for it and will call back today.";
