import type { z } from "zod";
import { OpenaiRefusal } from "./openai-refusal.ts";

/** Throws OpenaiRefusal with 400 and the name of the first field that is wrong. */
export function parseBody<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  const { path, message: why } = first ? innermost(first) : { path: [], message: "is wrong" };
  const param = formatPath(path);
  throw new OpenaiRefusal(400, `${param || "The body"}: ${why.replace(/^Invalid input: /, "")}.`, {
    param: param === "" ? undefined : param,
  });
}

type Issue = z.core.$ZodIssue;

/** What is wrong within the member of a union that came closest: a list of items is not told it is no text. */
function innermost(issue: Issue): { path: PropertyKey[]; message: string } {
  if (issue.code !== "invalid_union") return issue;
  const inner = issue.errors
    .flatMap(([first]) => (first ? [innermost(first)] : []))
    .toSorted((a, b) => b.path.length - a.path.length)[0];
  if (!inner || inner.path.length === 0) return issue;
  return { path: [...issue.path, ...inner.path], message: inner.message };
}

function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((each) => (typeof each === "number" ? `[${each}]` : `.${String(each)}`))
    .join("")
    .replace(/^\./, "");
}
