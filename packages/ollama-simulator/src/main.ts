import { usage } from "./flags.ts";
import { readSettings, SettingsError } from "./read-settings.ts";
import type { SimulatorSettings } from "./settings.ts";
import { startSimulator } from "./start-simulator.ts";

try {
  const settings = readSettings(process.argv.slice(2), process.env);
  if (settings === "help") console.log(usage());
  else await run(settings);
} catch (error) {
  const mistaken = error instanceof SettingsError;
  console.error(mistaken ? error.message : describeStartError(error));
  process.exitCode = mistaken ? 2 : 1;
}

async function run(settings: SimulatorSettings): Promise<void> {
  const simulator = await startSimulator(settings, { exit: die });
  const stop = () => void simulator.close();
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  console.log(`ollama-simulator listening on ${simulator.url} with ${settings.models.join(", ")}`);
}

/** A crash that ends the process is one: nothing is closed, nothing is said. */
function die(): never {
  process.kill(process.pid, "SIGKILL");
  // The first process of a container is immune to its own signals.
  process.abort();
}

function describeStartError(error: unknown): string {
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  if (code === "EADDRINUSE") return `port ${port} is taken: choose another with --port or SIMULATOR_PORT`;
  return `cannot start: ${error instanceof Error ? error.message : String(error)}`;
}
