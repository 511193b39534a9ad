import { z } from "zod";
import { type Fault, faultFields, faultKinds, faultSchema } from "./fault.ts";

export class FaultSyntaxError extends Error {}

/** One fault or a list of them; throws a FaultSyntaxError naming every problem and what is allowed. */
export function parseFaults(input: unknown): Fault[] {
  const parsed = z.array(faultSchema).safeParse(Array.isArray(input) ? input : [input]);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => {
    const where = issue.path.filter((part) => typeof part === "string").join(".");
    return where === "" ? issue.message : `${where}: ${issue.message}`;
  });
  throw new FaultSyntaxError(`${problems.join("; ")}. ${allowed}`);
}

/** From the command line: `kind`, `kind,field=value,…` or JSON. */
export function parseFaultFlag(text: string): Fault[] {
  if (/^\s*[[{]/.test(text)) return parseFaults(parseJson(text));
  const [kind, ...pairs] = text.split(",");
  const fields = pairs.map((pair) => {
    const [name = "", ...value] = pair.split("=");
    return [name.trim(), parseValue(value.join("="))];
  });
  return parseFaults({ ...Object.fromEntries(fields), kind: kind?.trim() });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FaultSyntaxError(`not JSON: ${String(error)}`, { cause: error });
  }
}

function parseValue(text: string): unknown {
  if (text === "true" || text === "false") return text === "true";
  return text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text);
}

const allowed = `Allowed kinds: ${faultKinds.join(", ")}, or a status such as "503". Allowed fields: ${faultFields.join(", ")}`;
