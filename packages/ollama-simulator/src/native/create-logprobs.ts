import { createSeededRandom, hashText } from "../text/seeded-random.ts";
import { takeWords } from "../text/words.ts";

type TokenLogprob = { token: string; logprob: number; bytes: number[] };

/** Probabilities as of a rather sure model: the token that was said comes first, then less likely ones. */
export function createLogprobs(
  token: string,
  alternatives: number,
): (TokenLogprob & { top_logprobs?: TokenLogprob[] })[] {
  const random = createSeededRandom(hashText(token));
  let logprob = -random.next();
  const chosen = tokenLogprob(token, logprob);
  if (alternatives === 0) return [chosen];
  const others = takeWords(hashText(token), alternatives - 1).map((word) => {
    logprob -= 0.5 + random.next();
    return tokenLogprob(word, logprob);
  });
  return [{ ...chosen, top_logprobs: [chosen, ...others] }];
}

function tokenLogprob(token: string, logprob: number): TokenLogprob {
  return { token, logprob: Number(logprob.toFixed(6)), bytes: [...Buffer.from(token)] };
}
