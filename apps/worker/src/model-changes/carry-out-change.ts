import type { ChangeEnd, ChangeLine, ModelChange } from "@forebay/queue-bullmq";
import { z } from "zod";
import { type CallFailure, CallFailedError } from "../ollama/call-failure.ts";
import { type OllamaClient, toCallFailed } from "../ollama/ollama-client.ts";
import { readLines } from "../ollama/read-lines.ts";
import { startWatchdog } from "../ollama/watchdog.ts";

/** Of a download's hundreds of lines a second one in a while will do; a new status is told at once. */
const tellEveryMs = 250;

export type ChangeOptions = {
  /** Longest silence before a line and between two: a host that checks a digest says nothing. */
  readonly silenceMs: number;
  readonly tell: (line: ChangeLine) => Promise<void>;
  readonly signal: AbortSignal;
};

/** Makes the call and reads it to its end. @throws the signal's reason when it aborts; for nothing else */
export async function carryOutChange(
  client: OllamaClient,
  { call, body }: ModelChange,
  { silenceMs, tell, signal }: ChangeOptions,
): Promise<ChangeEnd> {
  const watchdog = startWatchdog(silenceMs, silenceMs);
  const either = AbortSignal.any([signal, watchdog.signal]);
  try {
    if (call === "delete") await drain(await client.delete("/api/delete", body, either));
    else if (call === "copy") await drain(await client.post("/api/copy", body, either));
    else return await follow(await client.post(`/api/${call}`, { ...body, stream: true }, either));
    return { status: 200 };
  } catch (error) {
    const failed = toCallFailed(error, either);
    if (signal.aborted || !(failed instanceof CallFailedError)) throw failed;
    return endOf(failed.failure);
  } finally {
    watchdog.stop();
  }

  async function follow(chunks: AsyncIterable<Buffer>): Promise<ChangeEnd> {
    let toldAt = 0;
    let toldStatus: unknown;
    let last: ChangeLine = {};
    for await (const text of readLines(chunks)) {
      watchdog.alive();
      last = parseLine(text);
      if (typeof last["error"] === "string") return { status: 500, error: last["error"] };
      if (last["status"] === "success") continue;
      if (last["status"] === toldStatus && Date.now() - toldAt < tellEveryMs) continue;
      toldStatus = last["status"];
      await tell(last);
      toldAt = Date.now();
    }
    if (last["status"] === "success") return { status: 200 };
    return { status: 502, error: "the host broke off before it said that it was done" };
  }
}

const lineSchema = z.record(z.string(), z.unknown());

function parseLine(text: string): ChangeLine {
  try {
    return lineSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new CallFailedError({ kind: "garbage", begun: true }, error);
  }
}

async function drain(chunks: AsyncIterable<Buffer>): Promise<void> {
  for await (const _ of chunks) continue;
}

const errorBodySchema = z.object({ error: z.string() });

function endOf(failure: CallFailure): ChangeEnd {
  switch (failure.kind) {
    case "status":
      return { status: failure.status, error: errorText(failure.body) };
    case "socket":
      return { status: 502, error: `the host cannot be reached: ${failure.code}` };
    case "silence":
      return { status: 504, error: `the host said nothing for ${Math.round(failure.limitMs / 1_000)} s` };
    default:
      return { status: 502, error: "what the host said is not Ollama's" };
  }
}

function errorText(body: string): string {
  try {
    return errorBodySchema.parse(JSON.parse(body)).error;
  } catch {
    return "the host refused without saying why";
  }
}
