import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));

/** The real command in a process of its own. */
export async function runForebay(
  args: readonly string[],
  options: { env: Readonly<Record<string, string>>; input?: string },
): Promise<{ status: number | null; out: string; err: string }> {
  const env = { PATH: process.env["PATH"], HOME: process.env["HOME"], ...options.env };
  const child = spawn(process.execPath, [main, ...args], { env });
  // A command that does not read its input has closed it before all was written.
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input ?? "");
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { status: child.exitCode, out, err };
}
