import { sharedNowMs } from "../shared-clock.ts";

const mark = "~";
const base = 36;
const perMs = 1_000;

/** A token that says when it was made; about as long as a word. */
export function createClockToken(): string {
  return `${mark}${Math.round(sharedNowMs() * perMs).toString(base)} `;
}

/** How many tokens a piece of a stream holds, whatever else it holds. */
export function countTokens(chunk: Buffer): number {
  let count = 0;
  for (let at = chunk.indexOf(mark); at >= 0; at = chunk.indexOf(mark, at + 1)) count++;
  return count;
}

/** How long ago the tokens in the text were made, in ms. */
export function tokenDelays(text: string, nowMs: number): number[] {
  const delays: number[] = [];
  for (const [, time = ""] of text.matchAll(/~([0-9a-z]+) /g)) {
    delays.push(nowMs - Number.parseInt(time, base) / perMs);
  }
  return delays;
}
