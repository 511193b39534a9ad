import { createSeededRandom, type SeededRandom } from "./seeded-random.ts";

const words = (
  "the a of and to in is that for with as on it by from this are water river lake stream spring channel " +
  "gate level flow pressure turbine power energy station valley stone bank rain season winter summer " +
  "morning evening light wind field forest bridge village mountain path signal measure balance answer " +
  "question reason example result number order change small large early late quiet steady open closed " +
  "simple careful first second final new old high low slow fast holds keeps carries turns moves gathers " +
  "rests follows returns remains begins ends grows falls rises passes waits fills drains feeds guides " +
  "shows means takes gives makes brings leaves always often seldom never still again slowly together"
).split(" ") as [string, ...string[]];

export function takeWords(seed: number, count: number): string[] {
  const taken: string[] = [];
  if (count <= 0) return taken;
  for (const word of generateWords(seed)) {
    if (taken.push(word) >= count) break;
  }
  return taken;
}

/**
 * Readable prose, one token a time: a word with its leading space and trailing stop. The same seed
 * gives the same words for ever.
 */
function* generateWords(seed: number): Generator<string> {
  const random = createSeededRandom(seed);
  for (let first = true; ; first = false) {
    yield* sentence(random, first ? "" : " ");
  }
}

function* sentence(random: SeededRandom, lead: string): Generator<string> {
  const length = random.between(6, 14);
  for (let i = 0; i < length; i++) {
    const word = random.pick(words);
    const text = i === 0 ? lead + word.charAt(0).toUpperCase() + word.slice(1) : ` ${word}`;
    yield i === length - 1 ? `${text}.` : text;
  }
}
