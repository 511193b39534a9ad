import { Problem } from "./problem.ts";

/** The parameters of a URL's query, refused if one is not among `allowed` or comes twice. Throws Problem. */
export function readQuery(url: string, allowed: (name: string) => boolean): Map<string, string> {
  const values = new Map<string, string>();
  const start = url.indexOf("?");
  if (start === -1) return values;
  for (const [name, value] of new URLSearchParams(url.slice(start))) {
    if (!allowed(name)) throw invalidQuery(name, "is not a parameter of this request");
    if (values.has(name)) throw invalidQuery(name, "was given twice");
    values.set(name, value);
  }
  return values;
}

/** Refuses any query at all. Throws Problem. */
export function refuseQuery(url: string): void {
  readQuery(url, () => false);
}

export function invalidQuery(name: string, message: string): Problem {
  return new Problem("invalid_query", `The query parameter ${name} ${message}.`, {
    errors: [{ path: `?${name}`, message }],
  });
}
