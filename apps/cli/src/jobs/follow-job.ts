import {
  createTokenMeter,
  type ForebayClient,
  isEnd,
  type JobEvent,
  type JobView,
  type Retry,
} from "@forebay/client";
import type { CliIo } from "../command.ts";
import { CommandError, jobFailedStatus } from "../command-error.ts";
import { openStatusLine } from "../terminal/status-line.ts";
import { describeRetry } from "../api-flags.ts";
import { answerOf } from "./answer-of.ts";
import { openInterrupts } from "./interrupts.ts";
import { describeEnd, describeProgress } from "./progress.ts";

export type FollowOptions = {
  /** `text` as it comes, `events` as JSON lines, the `answer` or the `job` once it is there. */
  readonly output: "text" | "events" | "answer" | "job";
  /** Most tokens the answer can have, if known. */
  readonly tokensMax: number | undefined;
  readonly cancelOnInterrupt: boolean;
};

/** How often the line of progress is drawn anew. Milliseconds. */
const lookMs = 1_000;

/** Follows a job to its end. Throws CommandError when it ends without a result, or somebody pressed Ctrl-C. */
export async function followJob(
  client: ForebayClient,
  id: string,
  io: CliIo,
  options: FollowOptions,
): Promise<void> {
  using interrupts = openInterrupts(client, id, io, options.cancelOnInterrupt);
  using status = openStatusLine(io);
  const meter = createTokenMeter();
  let job: JobView | undefined;
  const draw = (): void => {
    if (!job) return;
    const live = { tokens: meter.tokens, tokensPerS: meter.perSecond(), tokensMax: options.tokensMax };
    status.show(describeProgress(job, live, Date.now()));
  };
  const tick = (): void => {
    // The stream tells how an answer grows, but not where a waiting job stands.
    if (job?.state === "active") draw();
    else void look();
  };
  const look = async (): Promise<void> => {
    job = await client.get(id, { signal: interrupts.signal }).catch(() => job);
    if (job) meter.record(job.progress.tokens, performance.now());
    draw();
  };
  const onRetry = (retry: Retry): void => {
    if (status.visible) status.show(describeRetry(retry));
    else io.err(`forebay: ${describeRetry(retry)}\n`);
  };

  const timer = status.visible ? setInterval(tick, lookMs) : undefined;
  const write = createWriter(io, options.output);
  try {
    for await (const event of client.stream(id, { signal: interrupts.signal, onRetry })) {
      write(event);
      if (event.event === "progress") meter.record(event.tokens, performance.now());
      if (event.event === "state" && status.visible) void look();
      if (!isEnd(event)) continue;
      clearInterval(timer);
      status[Symbol.dispose]();
      return finish(event.job, io, options.output);
    }
  } catch (error) {
    clearInterval(timer);
    status[Symbol.dispose]();
    if (!interrupts.signal.aborted) throw error;
    throw await interrupts.settle();
  } finally {
    clearInterval(timer);
  }
}

/** Writes what is to be seen of each event. */
function createWriter(io: CliIo, output: FollowOptions["output"]): (event: JobEvent) => void {
  let written = "";
  const startLine = (): string => (written === "" || written.endsWith("\n") ? "" : "\n");
  return (event) => {
    if (output === "events") return io.out(`${JSON.stringify(event)}\n`);
    if (output !== "text") return;
    if (event.event === "token" && event.text !== undefined) {
      io.out(event.text);
      written = event.text;
    }
    if (event.event === "restart") {
      io.out(startLine());
      io.err("forebay: the try broke off; what was written so far is void, the answer begins again.\n");
      written = "";
    }
    if (!isEnd(event)) return;
    // The answer of a job that keeps no tokens, and what is no text.
    const rest = answerOf(event.job, written !== "");
    io.out(`${startLine()}${rest}${rest === "" ? "" : "\n"}`);
  };
}

function finish(job: JobView, io: CliIo, output: FollowOptions["output"]): void {
  if (output === "job") io.out(`${JSON.stringify(job)}\n`);
  if (output === "answer" && job.state === "completed") io.out(`${answerOf(job, false)}\n`);
  if (job.state !== "completed") {
    const { code, message } = job.error ?? { code: "internal_error", message: "no reason was given" };
    throw new CommandError(
      `the job ended as ${job.state.replace("_", " ")}: ${message} (${code})`,
      jobFailedStatus,
    );
  }
  if (io.terminal.err && output !== "job") io.err(`${describeEnd(job)}\n`);
}
