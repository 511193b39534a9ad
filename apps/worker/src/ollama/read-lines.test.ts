import { expect, test } from "vitest";
import { readLines } from "./read-lines.ts";

async function* chunksOf(...parts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === "string" ? Buffer.from(part) : part;
}

async function collect(lines: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

async function linesOf(...parts: (string | Uint8Array)[]): Promise<string[]> {
  return collect(readLines(chunksOf(...parts)));
}

test("a stream split at any byte gives the same lines, also within a character", async () => {
  const lines = ['{"response":"héllo"}', '{"response":"日本"}', '{"response":"🌊"}'];
  const bytes = Buffer.from(`${lines.join("\n")}\n`);
  for (let at = 0; at <= bytes.length; at++) {
    expect(await linesOf(bytes.subarray(0, at), bytes.subarray(at))).toEqual(lines);
  }
});

test("a stream that comes byte by byte", async () => {
  const bytes = Buffer.from("é\n🌊\n");
  expect(await linesOf(...Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(["é", "🌊"]);
});

test.each([
  ["nothing", [], []],
  ["nothing but line ends", ["\n\n", "\n"], []],
  ["a last line without its end", ["a\nb"], ["a", "b"]],
  ["blank lines", ["a\n\n  \nb\n"], ["a", "b"]],
  ["a last line of spaces", ["a\n  "], ["a"]],
  ["line ends of other systems", ["a\r\n\r\nb\r\n"], ["a\r", "b\r"]],
  ["empty chunks", ["", "a", "", "\n", ""], ["a"]],
  ["many lines in one chunk", ["a\nb\nc\n"], ["a", "b", "c"]],
  ["one line in many chunks", ["a", "b", "c"], ["abc"]],
])("%s", async (_, parts, lines) => {
  expect(await linesOf(...parts)).toEqual(lines);
});

test("a line without end is given up, and the stream with it", async () => {
  let taken = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      taken++;
      yield Buffer.alloc(100, "x");
    }
  }
  const read = collect(readLines(endless(), 1_000));
  await expect(read).rejects.toMatchObject({ failure: { kind: "too_long", limitBytes: 1_000 } });
  expect(taken).toBe(11);
});

test("the limit is of one line, not of all together", async () => {
  const line = "x".repeat(900);
  const lines = await collect(readLines(chunksOf(line, `\n${line}`, `\n${line}`), 1_000));
  expect(lines).toEqual([line, line, line]);
});
