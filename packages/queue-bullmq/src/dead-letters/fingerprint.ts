import { createHash } from "node:crypto";

const patterns: readonly [RegExp, string][] = [
  [/\bj[0-9a-hjkmnp-tv-z]{33}\b/g, "#"],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, "#"],
  [/\b(?:0x)?(?=[0-9a-f]*\d)[0-9a-f]{8,}\b/gi, "#"],
  [/\d+(?:[.,:]\d+)*/g, "#"],
  [/\s+/g, " "],
];

/** A failure's message without what differs between two failures of one kind: ids, addresses, numbers. */
export function stripVariableParts(message: string): string {
  return patterns.reduce((text, [pattern, put]) => text.replace(pattern, put), message).trim();
}

/** The same text for failures of the same kind: `<code>-<12 characters>`. */
export function fingerprintOf(failure: { code: string; message: string }, model: string): string {
  const kind = [failure.code, model, stripVariableParts(failure.message)].join("\n");
  return `${failure.code}-${createHash("sha256").update(kind).digest("hex").slice(0, 12)}`;
}
