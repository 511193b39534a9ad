import { ensureSystemPackage, findOnPath } from "./ensure-system-package.mjs";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/**
 * The browser for the dashboard's tests: FOREBAY_CHROMIUM, else one on PATH, else one from the system's package
 * manager where we may use it. Without any, those tests are skipped, aloud.
 */
export async function findChromium(say: (line: string) => void): Promise<string | undefined> {
  const given = process.env.FOREBAY_CHROMIUM;
  if (given) return given;
  const found = onPath();
  if (found !== undefined) return found;
  try {
    await ensureSystemPackage("chromium");
    return onPath();
  } catch (error) {
    say(`${error instanceof Error ? error.message : error}\n\nThe tests in a browser are skipped.`);
    return undefined;
  }
}

function onPath(): string | undefined {
  return names.map((name) => findOnPath(name)).find((file) => file !== undefined);
}
