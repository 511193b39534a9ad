import type { ForebayError } from "@forebay/client";

const advices: Readonly<Record<string, string>> = {
  connection_failed: "Is the API running there? FOREBAY_URL or --url says where it is.",
  unauthorized: "Give a key with FOREBAY_API_KEY; an operator makes one with: forebay keys create",
  unexpected_answer: "FOREBAY_URL or --url says where the API is.",
};

/** A refusal in a few lines: what, which fields, what to do, and what to tell the operator. */
export function describeRefusal(error: ForebayError): string {
  const { code, detail, errors, retryAfterS, requestId, status } = error;
  const lines = [detail];
  if (errors.length > 1) lines.push(...errors.map(({ path, message }) => `  ${path} ${message}`));
  const advice = advices[code];
  if (advice !== undefined) lines.push(advice);
  if (retryAfterS !== undefined) lines.push(`The server asks to come back in ${retryAfterS} s.`);
  if (status >= 500 && requestId !== undefined)
    lines.push(`The operator finds it in the log as ${requestId}.`);
  if (status !== 0) lines.push(`(${code})`);
  return lines.join("\n");
}
