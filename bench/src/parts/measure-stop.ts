import { atMost } from "../figure.ts";
import { openPacedOllama, pacedPrompt } from "../ollama/open-paced-ollama.ts";
import { sharedNowMs } from "../shared-clock.ts";
import { percentile } from "../statistics.ts";
import { startBenchRedis } from "../systems/start-bench-redis.ts";
import { model, openForebay } from "../systems/start-forebay.ts";
import { jsonHeaders } from "./measure-post.ts";
import type { Part } from "./part.ts";

const slots = 4;
const cancels = 100;

/** From the request to cancel a running job to the end of its call at Ollama, and to the next job's beginning. */
export const measureStop: Part = async () => {
  await using redis = await startBenchRedis();
  await using forebay = await openForebay(redis.url);
  await using ollama = await openPacedOllama();
  await using api = await forebay.startApi();
  await using _worker = await forebay.startWorker(ollama.url, slots);
  const headers = { ...jsonHeaders, ...forebay.headers };
  const put = async (name: string): Promise<string> => {
    const body = JSON.stringify({ model, prompt: pacedPrompt(1_000_000, 50, name) });
    const answer = await fetch(`${api.url}/jobs`, { method: "POST", headers, body });
    return ((await answer.json()) as { job_id: string }).job_id;
  };
  const ids: string[] = [];
  for (let job = 0; job < cancels + slots; job++) ids.push(await put(`job-${job}`));
  for (let job = 0; job < slots; job++) await ollama.time(`job-${job}`, "begun");

  const aborted: number[] = [];
  const taken: number[] = [];
  for (let job = 0; job < cancels; job++) {
    // The slot it frees goes to the first that waits; nothing else is free.
    const next = `job-${job + slots}`;
    const at = sharedNowMs();
    const answer = await fetch(`${api.url}/jobs/${ids[job]}/cancel`, { method: "POST", headers });
    if (answer.status !== 202) throw new Error(`cancel answered ${answer.status}`);
    aborted.push((await ollama.time(`job-${job}`, "ended")) - at);
    taken.push((await ollama.time(next, "begun")) - at);
  }
  const figure = (name: string, values: readonly number[]) => {
    const value = percentile(values, 0.95);
    const judged = { value, target: atMost(300, "ms") };
    return { name, unit: "ms", forebay: value, judged, details: { p50: percentile(values, 0.5) } };
  };
  return [
    figure("cancel to the end of the call, p95", aborted),
    figure("cancel to the next job in its slot, p95", taken),
  ];
};
