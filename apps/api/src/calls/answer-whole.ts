import type { ServerResponse } from "node:http";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { JobRecord } from "@forebay/queue-bullmq";
import type { Failure } from "@forebay/queue-contracts";
import { jsonResponse } from "../http/json-response.ts";
import type { Preference } from "../routes/jobs/parse-prefer.ts";
import type { JobView } from "../routes/jobs/job-view-schema.ts";
import type { Call } from "./open-call.ts";
import { servedBy } from "./served-by.ts";

/** How one surface says what became of a call. */
export type WholeAnswer = {
  answer(job: JobRecord): object | Promise<object>;
  /** Thrown while the answer may still have a status. */ refusal(failure: Failure): Error;
  /** The same as a body. */ refusalBody(failure: Failure): object;
  /** Thrown when the client has gone. */ cancelled(): Error;
};

type Connection = {
  readonly outgoing: ServerResponse;
  /** Aborts when the client has gone. */ readonly closed: AbortSignal;
  /** Silent for longer, the answer begins with a blank now and then; undefined: never. */
  readonly silenceMs: number | undefined;
  readonly prefer: Preference;
  /** The job as it is now, for who did not want to wait any longer. */ readonly view: () => Promise<JobView>;
};

/**
 * The answer to a call that is not streamed. Proxies cut what is silent for a minute, and Node's own fetch after five:
 * when it takes long the answer begins as 200 with blanks, which JSON may begin with. A job that fails after
 * that can have no status any more: what is wrong is written, and the connection is cut, so that nobody takes it for an
 * answer.
 */
export async function answerWhole(call: Call, to: Connection, say: WholeAnswer): Promise<Response> {
  const { outgoing, closed } = to;
  const { waitS, applied } = to.prefer;
  const patience = applied === undefined ? undefined : patienceOf(waitS ?? 0);
  const signal = patience ? AbortSignal.any([closed, patience.signal]) : closed;
  const job = await awaitAloud(call, signal, applied === undefined ? to : undefined);
  patience?.stop();
  if (!job && !closed.aborted && patience?.signal.aborted) {
    return jsonResponse(202, await to.view(), {
      location: `/jobs/${call.id}`,
      "preference-applied": applied ?? "",
      ...servedBy(call),
    });
  }
  if (!job) {
    await (closed.aborted ? call.leave() : call.cancel());
    throw say.cancelled();
  }
  if (outgoing.headersSent) return finish(call, outgoing, job, say);
  if (job.failure) throw say.refusal(job.failure);
  const headers =
    applied === undefined ? servedBy(call) : { ...servedBy(call), "preference-applied": applied };
  return jsonResponse(200, await say.answer(job), headers);
}

/** undefined: the signal aborted first, or the job is gone. */
async function awaitAloud(
  call: Call,
  signal: AbortSignal,
  to: Pick<Connection, "outgoing" | "silenceMs"> | undefined,
): Promise<JobRecord | undefined> {
  const begunAt = performance.now();
  return call.ended(signal, () => {
    if (to?.silenceMs === undefined) return;
    // A timer may fire a moment early.
    if (performance.now() - begunAt + 50 < to.silenceMs) return;
    if (!to.outgoing.headersSent)
      to.outgoing.writeHead(200, { "content-type": "application/json", ...servedBy(call) });
    to.outgoing.write(" ");
  });
}

async function finish(
  call: Call,
  outgoing: ServerResponse,
  job: JobRecord,
  say: WholeAnswer,
): Promise<Response> {
  if (!job.failure) {
    try {
      outgoing.end(JSON.stringify(await say.answer(job)));
    } catch {
      // There is no status left to say it with.
      outgoing.destroy();
    }
    return RESPONSE_ALREADY_SENT;
  }
  // An SDK that tries again finds this very failure then, with its status.
  await call.abandon();
  outgoing.write(JSON.stringify(say.refusalBody(job.failure)), () => outgoing.destroy());
  return RESPONSE_ALREADY_SENT;
}

function patienceOf(waitS: number): { signal: AbortSignal; stop(): void } {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), waitS * 1_000);
  return { signal: abort.signal, stop: () => clearTimeout(timer) };
}
