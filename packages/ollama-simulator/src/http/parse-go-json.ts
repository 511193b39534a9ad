import { OllamaError } from "./ollama-error.ts";

/** Parses as Go's decoder does: errors in its words, anything behind the first value is ignored. */
export function parseGoJson(text: string): unknown {
  if (text.trim() === "") throw new OllamaError(400, "missing request body");
  try {
    return JSON.parse(text);
  } catch (error) {
    return afterSyntaxError(text, String(error));
  }
}

function afterSyntaxError(text: string, message: string): unknown {
  const position = Number(/position (\d+)/.exec(message)?.[1] ?? Number.NaN);
  if (message.includes("after JSON") && position > 0) return parseGoJson(text.slice(0, position));
  const character = Number.isNaN(position) ? /token '(.)'/su.exec(message)?.[1] : text[position];
  if (character === undefined || message.includes("Unterminated"))
    throw new OllamaError(400, "unexpected EOF");
  throw new OllamaError(400, `invalid character ${quoteRune(character)} ${expectation(message)}`);
}

function expectation(message: string): string {
  if (message.includes("':'")) return "after object key";
  if (message.includes("property name")) return "looking for beginning of object key string";
  if (message.includes("',' or '}'")) return "after object key:value pair";
  if (message.includes("',' or ']'")) return "after array element";
  if (message.includes("control character")) return "in string literal";
  if (message.includes("escape")) return "in string escape code";
  return "looking for beginning of value";
}

function quoteRune(character: string): string {
  if (character === "'") return "'\\''";
  return `'${JSON.stringify(character).slice(1, -1).replace('\\"', '"')}'`;
}
