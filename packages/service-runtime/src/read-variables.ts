import { readFileSync } from "node:fs";

type Env = Readonly<Record<string, string | undefined>>;
type Reading = { value: string } | { problem: string } | undefined;

/** The named variables as set in `env` or in the files that `<name>_FILE` points to; problems by variable. */
export function readVariables(
  names: readonly string[],
  env: Env,
): { values: Record<string, string>; problems: Map<string, string> } {
  const values: Record<string, string> = {};
  const problems = new Map<string, string>();
  for (const name of names) {
    const reading = readVariable(name, env);
    if (reading === undefined) continue;
    if ("problem" in reading) problems.set(name, reading.problem);
    else values[name] = reading.value;
  }
  return { values, problems };
}

function readVariable(name: string, env: Env): Reading {
  const value = env[name]?.trim() ? env[name] : undefined;
  const file = env[`${name}_FILE`]?.trim();
  if (!file) return value === undefined ? undefined : { value };
  if (value !== undefined) return { problem: ` and ${name}_FILE are both set: keep one of them` };
  return readFileVariable(file);
}

function readFileVariable(file: string): Reading {
  try {
    const value = readFileSync(file, "utf8").trim();
    // A secret whose file is empty was never written: going on without it would be a silent hole.
    return value === "" ? { problem: `_FILE: ${file} is empty` } : { value };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    return { problem: `_FILE: ${file} cannot be read (${code})` };
  }
}
