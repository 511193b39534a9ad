import { CallFailedError } from "./call-failure.ts";

const newline = 10;

/** Most bytes one line may have: an answer without line ends must not fill the memory. */
const lineBytesMax = 64 * 1024 * 1024;

/** The lines of a byte stream, without their ends; blank lines are left out. Throws CallFailedError. */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  limitBytes = lineBytesMax,
): AsyncGenerator<string> {
  let rest: Uint8Array[] = [];
  let restBytes = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      const line = decode([...rest, chunk.subarray(from, end)]);
      rest = [];
      restBytes = 0;
      from = end + 1;
      if (line.trim() !== "") yield line;
    }
    if (from < chunk.length) rest.push(chunk.subarray(from));
    restBytes += chunk.length - from;
    if (restBytes > limitBytes) throw new CallFailedError({ kind: "too_long", limitBytes });
  }
  const last = decode(rest);
  if (last.trim() !== "") yield last;
}

/** Whole lines only: a chunk may end within a character. */
function decode(parts: readonly Uint8Array[]): string {
  return Buffer.concat(parts).toString("utf8");
}
