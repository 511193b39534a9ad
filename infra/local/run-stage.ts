import { spawn } from "node:child_process";

/** Runs one command in this terminal; one that is ended by a signal ends the whole run. */
export function runStage(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: "inherit" });
    const passOn = (signal: NodeJS.Signals) => child.kill(signal);
    process.on("SIGTERM", passOn);
    process.on("SIGINT", passOn);
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      process.off("SIGTERM", passOn);
      process.off("SIGINT", passOn);
      if (signal !== null || code === 130) process.exit(130);
      resolve(code === 0);
    });
  });
}
