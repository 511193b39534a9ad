import { Problem } from "../../http/problem.ts";

/**
 * The key of a request: bare or quoted in the header, or the body's field; the header wins. Throws Problem for
 * one that is empty, longer than 255 characters, or not printable ASCII (in the header).
 */
export function parseIdempotencyKey(
  header: string | undefined,
  field: string | undefined,
): string | undefined {
  if (header !== undefined) return checked(unquote(header.trim()));
  return field === undefined ? undefined : checked(field);
}

/** A structured-field string (RFC 8941): quotes around, `\"` and `\\` inside. */
function unquote(text: string): string {
  if (!text.startsWith('"')) return text;
  const inner = /^"((?:[^"\\]|\\["\\])*)"$/.exec(text)?.[1];
  if (inner === undefined) throw invalid("its quotes do not match");
  return inner.replace(/\\(["\\])/g, "$1");
}

function checked(key: string): string {
  if (key.length === 0 || key.length > 255) throw invalid("it must have 1 to 255 characters");
  if (!/^[\x20-\x7e]+$/.test(key)) throw invalid("it must be printable ASCII");
  return key;
}

function invalid(why: string): Problem {
  return new Problem("invalid_idempotency_key", `The Idempotency-Key cannot be used: ${why}.`);
}
