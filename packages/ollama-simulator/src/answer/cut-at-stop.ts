/** Ends the text before the first stop sequence, which may span several tokens and is not sent. */
export function cutAtStop(texts: string[], stop: readonly string[]): { texts: string[]; stopped: boolean } {
  const whole = stop.length === 0 ? "" : texts.join("");
  const ends = stop.map((sequence) => whole.indexOf(sequence)).filter((index) => index >= 0);
  if (ends.length === 0) return { texts, stopped: false };
  let left = Math.min(...ends);
  const kept: string[] = [];
  for (const text of texts) {
    if (left === 0) break;
    kept.push(text.slice(0, left));
    left -= Math.min(left, text.length);
  }
  return { texts: kept, stopped: true };
}
