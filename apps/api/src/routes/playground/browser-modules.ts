import { readdirSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";

/**
 * The JavaScript of every module in a folder, by file name (`main.js`). Types are taken out the way Node takes
 * them out of what it runs itself: the browser gets the sources that were tested, nothing is built, and there is
 * no second copy that could be older.
 *
 * @param packages where a browser finds the packages these modules import, by name
 */
export function readBrowserModules(
  folder: URL,
  packages: Readonly<Record<string, string>> = {},
): Map<string, string> {
  const names = readdirSync(folder).filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"));
  const modules = names.map((name): [string, string] => {
    const source = stripTypes(readFileSync(new URL(name, folder), "utf8"));
    const code = source.replace(
      / from "([^"]+)"/g,
      (_, from: string) => ` from "${addressOf(from, packages)}"`,
    );
    return [toJs(name), code];
  });
  return new Map(modules);
}

function addressOf(specifier: string, packages: Readonly<Record<string, string>>): string {
  if (specifier.startsWith("./")) return toJs(specifier);
  const address = packages[specifier];
  if (address === undefined) throw new Error(`browsers cannot import ${specifier}`);
  return address;
}

const toJs = (name: string): string => name.replace(/\.ts$/, ".js");

/** Node says at every start that this function is experimental; an operator can do nothing about it. */
function stripTypes(source: string): string {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return stripTypeScriptTypes(source);
  } finally {
    process.emitWarning = emitWarning;
  }
}
