import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const packageDir = fileURLToPath(new URL("..", import.meta.url));
const pnpm = fileURLToPath(new URL("../../../node_modules/.bin/pnpm", import.meta.url));

/** Builds the package and packs it as it would be published; returns the path of the tarball in `folder`. */
export async function packTarball(folder: string): Promise<string> {
  // Packing must not turn into installing because somebody is just editing a package.json.
  const asItIs = "--config.verify-deps-before-run=false";
  await run(pnpm, [asItIs, "pack", "--pack-destination", folder], { cwd: packageDir });
  const tarball = (await readdir(folder)).find((name) => name.endsWith(".tgz"));
  if (tarball === undefined) throw new Error(`pnpm pack left no tarball in ${folder}`);
  return path.join(folder, tarball);
}
