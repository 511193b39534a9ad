import { describe, expect, test } from "vitest";
import { createSseParser, type SseMessage } from "./sse-parser.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function parse(...chunks: Uint8Array[]): SseMessage[] {
  const parser = createSseParser();
  return chunks.flatMap((chunk) => parser.push(chunk));
}

describe("one event", () => {
  const message = (id: string | undefined, event: string, data: string) => [{ id, event, data }];
  test.each<[string, string, SseMessage[]]>([
    ["has an id, a name and data", "id: 7\nevent: token\ndata: {}\n\n", message("7", "token", "{}")],
    ["needs no space after the colon", "id:7\nevent:token\ndata:{}\n\n", message("7", "token", "{}")],
    ["loses one space and keeps the others", "data:  a \n\n", message(undefined, "message", " a ")],
    ["is called message unless named", "data: a\n\n", message(undefined, "message", "a")],
    [
      "joins its lines of data",
      "data: a\ndata: b\ndata\ndata: c\n\n",
      message(undefined, "message", "a\nb\n\nc"),
    ],
    ["may hold colons", "data: a:b: c\n\n", message(undefined, "message", "a:b: c")],
    ["may be empty text", "data\n\n", message(undefined, "message", "")],
    [
      "ignores comments, also within",
      ": hi\ndata: a\n: there\ndata: b\n\n",
      message(undefined, "message", "a\nb"),
    ],
    ["ignores fields nobody knows", "data: a\ncolour: red\nDATA: b\n\n", message(undefined, "message", "a")],
    ["ignores an id with a NUL", "id: 1\0\ndata: a\n\n", message(undefined, "message", "a")],
    ["ends its lines with CR LF", "id: 7\r\nevent: token\r\ndata: {}\r\n\r\n", message("7", "token", "{}")],
    ["ends its lines with CR", "id: 7\revent: token\rdata: {}\r\r", message("7", "token", "{}")],
    ["may follow a byte order mark", "\uFEFFdata: a\n\n", message(undefined, "message", "a")],
    ["without data is none", "id: 7\nevent: token\n\n", []],
    ["without an empty line at its end is none", "data: a\n", []],
  ])("%s", (_, text, expected) => {
    expect(parse(encode(text))).toEqual(expected);
  });

  test("does not hand its id and name on to the next", () => {
    expect(parse(encode("id: 7\nevent: token\ndata: a\n\ndata: b\n\n"))[1]).toEqual({
      id: undefined,
      event: "message",
      data: "b",
    });
  });
});

test.each([
  ["retry: 2000\n\n", 2_000],
  ["retry: 2000\n\nretry: 5\n", 5],
  ["retry: soon\nretry: -1\nretry: 1.5\n\n", undefined],
])("%j asks to come back after %s ms", (text, ms) => {
  const parser = createSseParser();
  parser.push(encode(text));
  expect(parser.retryMs).toBe(ms);
});

const transcript =
  "\uFEFFretry: 10\r\n\r\n" +
  ": still here\n\n" +
  'id: 1\nevent: token\ndata: {"text":"grüße 👩‍👩‍👧 \u2028 日本"}\n\n' +
  "id: 2\r\nevent: token\r\ndata: one\r\ndata: two 🚀\r\n\r\n" +
  ": here\r\r\rid: 3\revent: token\rdata: \r\r" +
  "event: error\ndata: é\n\n";
const expected: SseMessage[] = [
  { id: "1", event: "token", data: '{"text":"grüße 👩‍👩‍👧 \u2028 日本"}' },
  { id: "2", event: "token", data: "one\ntwo 🚀" },
  { id: "3", event: "token", data: "" },
  { id: undefined, event: "error", data: "é" },
];
const bytes = encode(transcript);

describe("wherever the network cuts, the events are the same", () => {
  test("in one piece", () => {
    expect(parse(bytes)).toEqual(expected);
  });

  test("cut in two at every byte", () => {
    for (let at = 0; at <= bytes.length; at++) {
      expect(parse(bytes.subarray(0, at), bytes.subarray(at)), `cut at ${at}`).toEqual(expected);
    }
  });

  test.each([1, 2, 3, 5, 7])("in pieces of %d bytes", (size) => {
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
    expect(parse(...pieces)).toEqual(expected);
  });

  test("with empty pieces in between", () => {
    const nothing = new Uint8Array();
    const pieces = [...bytes].flatMap((byte) => [Uint8Array.of(byte), nothing]);
    expect(parse(nothing, ...pieces)).toEqual(expected);
  });
});

test("an event is handed out as soon as its last line end is there", () => {
  const parser = createSseParser();
  expect(parser.push(encode("data: a\r\n\r"))).toHaveLength(1);
  expect(parser.push(encode("\ndata: b\n"))).toEqual([]);
  expect(parser.push(encode("\n"))).toHaveLength(1);
});
