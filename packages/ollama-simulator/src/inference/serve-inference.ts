import type { AnswerPart } from "../answer/answer.ts";
import { type Exchange, replyJson, breakConnection, writeDrained } from "../http/exchange.ts";
import { OllamaError } from "../http/ollama-error.ts";
import { type Lease, QueueFullError } from "../scheduler/scheduler.ts";
import type { World } from "../world.ts";
import type { InferenceEvent } from "./inference-event.ts";
import type { InferenceJob } from "./inference-job.ts";
import { runInference } from "./run-inference.ts";
import { createRunnerRequest } from "./create-runner-request.ts";
import type { Surface } from "./surface.ts";

/** Load, generate, answer. Throws an OllamaError for what goes wrong before generation starts. */
export async function serveInference(
  world: World,
  exchange: Exchange,
  job: InferenceJob,
  surface: Surface,
  stream: boolean,
): Promise<"completed" | "failed"> {
  const lease = await holdRunner(world, exchange, job);
  try {
    const times = { startedAt: exchange.startedAt, loadedAt: world.clock.now() };
    const events = runInference(world, job, lease, times, exchange.signal);
    return await (stream ? sendStream(exchange, events, surface) : sendWhole(exchange, events, surface));
  } finally {
    lease.release();
  }
}

export async function holdRunner(
  world: World,
  exchange: Exchange,
  job: Pick<InferenceJob, "model" | "options" | "keepAliveMs" | "faults">,
): Promise<Lease> {
  try {
    return await world.scheduler.schedule(createRunnerRequest(job), exchange.signal);
  } catch (error) {
    if (exchange.signal.aborted || error instanceof OllamaError) throw error;
    if (error instanceof QueueFullError) world.counters.add("rejected", job.model.name);
    throw new OllamaError(
      error instanceof QueueFullError ? 503 : 500,
      error instanceof Error ? error.message : String(error),
    );
  }
}

async function sendStream(exchange: Exchange, events: AsyncIterable<InferenceEvent>, surface: Surface) {
  const { response } = exchange;
  // Nothing is written, not even headers, until there is something to say.
  const open = () => {
    if (!response.headersSent) response.writeHead(200, { "content-type": surface.contentType });
  };
  for await (const event of events) {
    switch (event.kind) {
      case "parts":
        open();
        await writeDrained(exchange, event.parts.map((part) => surface.chunk(part)).join(""));
        continue;
      case "raw":
        open();
        response.end(event.text);
        return "failed";
      case "done":
        open();
        response.end(surface.close(event.reason, event.metrics));
        return "completed";
      case "error":
        if (response.headersSent) response.end(surface.broken(event.message));
        else replyJson(exchange, event.status, surface.error(event.status, event.message));
        return "failed";
      case "reset":
        await breakConnection(exchange);
        return "failed";
      case "end":
        open();
        response.end();
        return "failed";
    }
  }
  return "failed";
}

async function sendWhole(exchange: Exchange, events: AsyncIterable<InferenceEvent>, surface: Surface) {
  const parts: AnswerPart[] = [];
  for await (const event of events) {
    switch (event.kind) {
      case "parts":
        parts.push(...event.parts);
        continue;
      case "done":
        replyJson(exchange, 200, surface.whole(parts, event));
        return "completed";
      case "raw":
        exchange.response
          .writeHead(200, { "content-type": "application/json; charset=utf-8" })
          .end(event.text);
        return "failed";
      case "error":
        replyJson(exchange, event.status, surface.error(event.status, event.message));
        return "failed";
      case "reset":
        await breakConnection(exchange);
        return "failed";
      case "end":
        replyJson(exchange, 200, surface.whole(parts, undefined));
        return "failed";
    }
  }
  return "failed";
}
