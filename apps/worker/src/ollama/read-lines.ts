import { cutLines } from "./cut-lines.ts";

/** The lines of a byte stream, without their ends; blank lines are left out. Throws CallFailedError. */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  limitBytes?: number,
): AsyncGenerator<string> {
  let lines: string[] = [];
  const cutter = cutLines((line) => lines.push(line), limitBytes);
  const taken = (): string[] => {
    const all = lines;
    lines = [];
    return all;
  };
  for await (const chunk of chunks) {
    cutter.push(chunk);
    yield* taken();
  }
  cutter.end();
  yield* taken();
}
