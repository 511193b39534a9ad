import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";

const viewSchema = z.object({
  job_id: z.string(),
  state: z.string(),
  result: z.object({ response: z.string(), eval_count: z.number() }).partial().nullish(),
  error: z.object({ code: z.string(), message: z.string() }).nullish(),
});
type JobView = z.output<typeof viewSchema>;

const problemSchema = z.object({ code: z.string(), detail: z.string() }).partial();

const pollMs = 150;
const endedStates: ReadonlySet<string> = new Set([
  "completed",
  "failed",
  "cancelled",
  "expired",
  "timed_out",
]);

export interface SampleJob {
  apiUrl: string;
  apiKey: string | undefined;
  model: string;
  signal: AbortSignal;
  say: (line: string) => void;
}

/** One prompt through the whole path, over HTTP like any client, its answer told line by line. */
export async function runSampleJob(sample: SampleJob): Promise<void> {
  const { model, say } = sample;
  const body = {
    model,
    prompt: "Why does a river need a forebay before the turbine? One sentence.",
    options: { num_predict: 48 },
  };
  say(`• Sample job: POST /jobs ${JSON.stringify(body)}`);
  const startedAt = performance.now();
  let view = await callApi(sample, "/jobs", body);
  let shown: string | undefined;
  while (!endedStates.has(view.state)) {
    if (view.state !== shown) say(`  ${view.job_id} is ${view.state}`);
    shown = view.state;
    await pause(pollMs, undefined, { signal: sample.signal });
    view = await callApi(sample, `/jobs/${view.job_id}`);
  }
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  if (view.state !== "completed") throw new Error(`The sample job ${view.state}: ${describeError(view)}`);
  say(
    `✓ Answer after ${seconds} s, ${view.result?.eval_count ?? 0} tokens:\n\n  ${view.result?.response ?? ""}\n`,
  );
}

async function callApi(
  { apiUrl, apiKey, signal }: SampleJob,
  path: string,
  body?: unknown,
): Promise<JobView> {
  const answer = await fetch(`${apiUrl}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { "content-type": "application/json", ...(apiKey && { authorization: `Bearer ${apiKey}` }) },
    body: body === undefined ? null : JSON.stringify(body),
    signal,
  });
  const content: unknown = await answer.json();
  if (answer.ok) return viewSchema.parse(content);
  if (answer.status === 401 && apiKey === undefined) {
    throw new Error("API keys exist, so the sample job needs one: set FOREBAY_API_KEY.");
  }
  const problem = problemSchema.safeParse(content).data;
  throw new Error(
    `The API answered ${answer.status}: ${problem?.detail ?? problem?.code ?? JSON.stringify(content)}`,
  );
}

function describeError({ error }: JobView): string {
  return error ? `${error.code}: ${error.message}` : "no reason given";
}
