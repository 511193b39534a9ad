import { hashText } from "../text/seeded-random.ts";
import { splitTokens } from "../text/split-tokens.ts";

// The size of Llama 3's vocabulary.
const vocabulary = 128_256;

// More would not have fitted into the context it stands for.
const charactersMax = 32_768;

/** The conversation as token numbers, which old clients send back to continue it. */
export function contextTokens(text: string): number[] {
  return splitTokens(text.slice(-charactersMax)).map((token) => hashText(token) % vocabulary);
}
