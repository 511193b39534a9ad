import { isUtf8 } from "node:buffer";
import { type BatchEndpoint, type BatchError, batchEndpointSchema } from "@forebay/queue-bullmq";
import type { FileLine } from "./split-lines.ts";

/** A line that says which call is meant; whether its body is one is another question. */
export type ParsedLine = { readonly customId: string; readonly body: Readonly<Record<string, unknown>> };

const customIdLengthMax = 512;

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

/** What is wrong with a line, or what it says. Texts name what is wrong and never show what the line holds. */
export function parseLine(
  { bytes, line, index }: FileLine,
  endpoint: BatchEndpoint,
  bytesMax: number,
): ParsedLine | BatchError {
  const wrong = (code: string, message: string, param: string | null = null): BatchError => ({
    code,
    message,
    param,
    line,
  });
  if (!bytes) return wrong("line_too_long", `The line has more than ${bytesMax} bytes.`);
  if (!isUtf8(bytes)) return wrong("invalid_encoding", "The line is not valid UTF-8.");
  const marked = index === 0 && bytes.subarray(0, 3).equals(byteOrderMark);
  const value = parseObject((marked ? bytes.subarray(3) : bytes).toString("utf8"));
  if (!value) return wrong("invalid_json_line", "The line is not a JSON object.");
  const { custom_id: customId, method, url, body } = value;
  if (typeof customId !== "string" || customId === "" || customId.length > customIdLengthMax) {
    const why = `custom_id must be a text of 1 to ${customIdLengthMax} characters.`;
    return wrong("invalid_custom_id", why, "custom_id");
  }
  if (method !== "POST") return wrong("invalid_method", "method must be POST.", "method");
  if (url !== endpoint) {
    const known = batchEndpointSchema.safeParse(url).success;
    const code = known ? "mismatched_url" : "invalid_url";
    return wrong(code, `url must be ${endpoint}, the endpoint of the batch.`, "url");
  }
  if (!isObject(body)) return wrong("invalid_body", "body must be an object.", "body");
  return { customId, body };
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
