import { z } from "zod";
import { ConfigError } from "./config-error.ts";
import { deepFreeze } from "./deep-freeze.ts";
import { readVariables } from "./read-variables.ts";

/**
 * Environment variables → configuration, parsed by `schema` (an object schema keyed by variable name, with
 * any transform behind it). An empty variable counts as unset, and `X_FILE` names a file whose trimmed content
 * is the value of `X`. The result is deeply frozen.
 *
 * @throws {ConfigError} with every problem, one line each, naming the variable; values are never shown,
 * since some of them are secrets.
 */
export function loadConfig<S extends z.ZodType>(
  schema: S,
  env: Readonly<Record<string, string | undefined>>,
): z.output<S> {
  const { values, problems } = readVariables(variableNames(schema), env);
  const parsed = schema.safeParse(values);
  if (parsed.success && problems.size === 0) return deepFreeze(parsed.data);
  const complaints = parsed.success
    ? []
    : parsed.error.issues.filter((issue) => !problems.has(nameOf(issue)));
  throw new ConfigError([
    ...[...problems].map(([name, problem]) => `${name}${problem}`),
    ...complaints.map((issue) => describeIssue(issue, values)),
  ]);
}

function variableNames(schema: z.core.$ZodType): string[] {
  if (schema instanceof z.ZodObject) return Object.keys(schema.shape);
  if (schema instanceof z.ZodPipe) return variableNames(schema.in);
  if (schema instanceof z.ZodIntersection) {
    return [...variableNames(schema.def.left), ...variableNames(schema.def.right)];
  }
  throw new TypeError("loadConfig needs an object schema: its keys are the names of the variables.");
}

function nameOf(issue: z.core.$ZodIssue): string {
  return String(issue.path[0] ?? "");
}

function describeIssue(issue: z.core.$ZodIssue, values: Readonly<Record<string, string>>): string {
  const name = nameOf(issue);
  if (name === "") return issue.message;
  const missing = issue.code === "invalid_type" && issue.path.length === 1 && values[name] === undefined;
  if (missing) return `${name} is required but not set`;
  const where = issue.path.map(String).join(".");
  return `${where}: ${issue.message.replace(/^Invalid input: /, "")}`;
}
