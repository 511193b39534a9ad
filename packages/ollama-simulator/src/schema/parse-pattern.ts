import { parseCharacterClass, shorthandCharacters } from "./character-sets.ts";

export type PatternNode =
  | { kind: "text"; text: string }
  | { kind: "set"; characters: [string, ...string[]] }
  | { kind: "sequence"; nodes: PatternNode[] }
  | { kind: "choice"; nodes: [PatternNode, ...PatternNode[]] }
  | { kind: "repeat"; node: PatternNode; min: number; max: number };

type Cursor = { pattern: string; at: number };

/** The part of regular expressions that generates: no look-around, no back references. */
export function parsePattern(pattern: string): PatternNode {
  return parseChoice({ pattern, at: 0 });
}

function parseChoice(cursor: Cursor): PatternNode {
  const first = parseSequence(cursor);
  const more: PatternNode[] = [];
  while (cursor.pattern[cursor.at] === "|") {
    cursor.at++;
    more.push(parseSequence(cursor));
  }
  return more.length === 0 ? first : { kind: "choice", nodes: [first, ...more] };
}

function parseSequence(cursor: Cursor): PatternNode {
  const nodes: PatternNode[] = [];
  for (;;) {
    const character = cursor.pattern[cursor.at];
    if (character === undefined || character === "|" || character === ")") return { kind: "sequence", nodes };
    nodes.push(parseRepeat(parseAtom(cursor), cursor));
  }
}

function parseAtom(cursor: Cursor): PatternNode {
  const character = cursor.pattern[cursor.at++] ?? "";
  switch (character) {
    case "^":
    case "$":
      return { kind: "text", text: "" };
    case ".":
      return { kind: "set", characters: shorthandCharacters("w") };
    case "(":
      return parseGroup(cursor);
    case "[":
      return parseClass(cursor);
    case "\\":
      return parseEscape(cursor);
    default:
      return { kind: "text", text: character };
  }
}

function parseGroup(cursor: Cursor): PatternNode {
  const lead = /^\?(?::|<[A-Za-z]\w*>|<?[=!])/.exec(cursor.pattern.slice(cursor.at))?.[0] ?? "";
  cursor.at += lead.length;
  const node = parseChoice(cursor);
  cursor.at++;
  return /[=!]$/.test(lead) ? { kind: "text", text: "" } : node;
}

function parseClass(cursor: Cursor): PatternNode {
  const body = /^(?:\\.|[^\]\\])*/s.exec(cursor.pattern.slice(cursor.at))?.[0] ?? "";
  cursor.at += body.length + 1;
  return { kind: "set", characters: parseCharacterClass(body) };
}

function parseEscape(cursor: Cursor): PatternNode {
  const rest = cursor.pattern.slice(cursor.at);
  const unicode = /^(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))/.exec(rest);
  if (unicode !== null) {
    cursor.at += unicode[0].length;
    return { kind: "text", text: String.fromCharCode(Number.parseInt(unicode[1] ?? unicode[2] ?? "", 16)) };
  }
  const character = cursor.pattern[cursor.at++] ?? "";
  if (/[dwsDWS]/.test(character)) return { kind: "set", characters: shorthandCharacters(character) };
  if (/[bB]/.test(character)) return { kind: "text", text: "" };
  const control: Record<string, string> = { n: "\n", r: "\r", t: "\t" };
  return { kind: "text", text: control[character] ?? character };
}

function parseRepeat(node: PatternNode, cursor: Cursor): PatternNode {
  const match = /^(?:([*+?])|\{(\d+)(,(\d*))?\})\??/.exec(cursor.pattern.slice(cursor.at));
  if (match === null) return node;
  cursor.at += match[0].length;
  const [, sign, from, comma, to] = match;
  if (sign !== undefined)
    return {
      kind: "repeat",
      node,
      min: sign === "+" ? 1 : 0,
      max: sign === "?" ? 1 : Number.POSITIVE_INFINITY,
    };
  const min = Number(from);
  const max = comma === undefined ? min : to === "" ? Number.POSITIVE_INFINITY : Number(to);
  return { kind: "repeat", node, min, max };
}
