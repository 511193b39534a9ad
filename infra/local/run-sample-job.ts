import { createClient, ForebayError, JobFailedError } from "@forebay/client";

export interface SampleJob {
  apiUrl: string;
  apiKey: string | undefined;
  model: string;
  signal: AbortSignal;
  say: (line: string) => void;
  /** Writes text as it is, without an end of line. */
  write: (text: string) => void;
}

/** One prompt through the whole path, over HTTP like any client, its answer shown while it is made. */
export async function runSampleJob(sample: SampleJob): Promise<void> {
  const { model, signal, say, write } = sample;
  const client = createClient({ baseUrl: sample.apiUrl, apiKey: sample.apiKey });
  const job = {
    model,
    prompt: "Why does a river need a forebay before the turbine? One sentence.",
    options: { num_predict: 48 },
  };
  say(`• Sample job: POST /jobs ${JSON.stringify(job)}`);
  const startedAt = performance.now();
  try {
    const { job_id } = await client.submit(job, { signal });
    say(`  ${job_id} is accepted; its answer as it comes, from GET /jobs/${job_id}/events\n`);
    write("  ");
    const pieces = client.streamText(job_id, { signal });
    let piece = await pieces.next();
    for (; !piece.done; piece = await pieces.next()) write(piece.value.restart ? "\n  " : piece.value.text);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    say(`\n\n✓ Answer after ${seconds} s, ${piece.value.usage?.completion_tokens ?? 0} tokens\n`);
  } catch (error) {
    write("\n");
    throw explained(error);
  }
}

function explained(error: unknown): unknown {
  if (error instanceof JobFailedError)
    return new Error(`The sample job failed. ${error.message}`, { cause: error });
  if (error instanceof ForebayError && error.status === 401) {
    return new Error("API keys exist, so the sample job needs one: set FOREBAY_API_KEY.", { cause: error });
  }
  return error;
}
