// What a simulated GPU costs: `pnpm run measure [streams] [tokens per second]`. Reads /proc, so Linux only.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";

const [streams = 1, rate = 60] = process.argv.slice(2).map(Number);
const [warmUpMs, measuredMs] = [3_000, 10_000];
const flags = [
  "--port",
  "0",
  "--load-ms",
  "0",
  "--num-parallel",
  String(streams),
  "--tokens-per-s",
  String(rate),
];
const main = new URL("../src/main.ts", import.meta.url).pathname;
const simulator = spawn(process.execPath, [main, ...flags], { stdio: ["ignore", "pipe", "inherit"] });
const [line] = await once(simulator.stdout, "data");
const url = /http:\S+/.exec(String(line))?.[0] ?? "";

const client = new AbortController();
let tokens = 0;

async function read(prompt: string): Promise<void> {
  const body = JSON.stringify({ model: "llama3.2:3b", prompt, options: { num_predict: 20 * rate } });
  const response = await fetch(`${url}/api/generate`, { method: "POST", body, signal: client.signal });
  for await (const chunk of response.body ?? [])
    tokens += Buffer.from(chunk).toString().split("\n").length - 1;
}

/** In hundredths of a second, which is also what Linux counts in. */
function cpuTicks(): number {
  const fields = readFileSync(`/proc/${simulator.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

const readers = Array.from({ length: streams }, (_, i) => read(`Prompt ${i}`).catch(() => {}));
await wait(warmUpMs);
const before = { tokens, ticks: cpuTicks(), at: performance.now() };
await wait(measuredMs);
const seconds = (performance.now() - before.at) / 1000;
const speed = (tokens - before.tokens) / seconds;
const share = (cpuTicks() - before.ticks) / seconds;
console.log(
  `${streams} streams of ${rate} tokens/s: ${speed.toFixed(0)} tokens/s for ${share.toFixed(1)} % of a core`,
);
client.abort();
await Promise.all(readers);
simulator.kill("SIGTERM");
