import { OpenaiRefusal } from "@forebay/openai-format";
import type { BatchClaim, BatchCursor, BatchEnding, BatchRecord, JobRecord } from "@forebay/queue-bullmq";
import { affinityOf, type InferenceJob } from "@forebay/queue-contracts";
import { entryOfEnding, entryOfJob, entryOfRefusal, type LineEntry } from "../lines/line-entry.ts";
import { parseLine } from "../lines/parse-line.ts";
import type { FileLine } from "../lines/split-lines.ts";
import { lineJobId, type TakenLine, takenLineSchema } from "../lines/taken-line.ts";
import { toLineJob } from "../lines/to-line-job.ts";
import type { BatchDeps } from "./batch-deps.ts";
import { createOpenLines } from "./open-lines.ts";
import { readLineAt, readLines } from "./read-input.ts";
import { createResultWriter } from "./result-writer.ts";
import type { Wakeup } from "./wakeup.ts";

export type LinesRun = {
  readonly deps: BatchDeps;
  readonly claim: BatchClaim;
  /** As it was when this began. */ readonly batch: BatchRecord;
  readonly signal: AbortSignal;
  /** Whether it is to be ended early, and how. */ ending(): Exclude<BatchEnding, "completed"> | undefined;
  readonly wakeup: Wakeup;
};

const linesPerStep = 50;
const linesPerDrop = 500;
/** Other batches may have given their slots back. */
const lookAgainMs = 250;

/**
 * Takes the lines one after another, as many at a time as there is room for, and writes what becomes of each.
 * Returns how the batch ended once every line is written.
 */
export async function runLines(run: LinesRun): Promise<BatchEnding> {
  const { deps, claim, batch, signal, wakeup } = run;
  const failure: { error?: unknown } = {};
  const failed = (error: unknown): void => {
    failure.error ??= error;
    wakeup.wake();
  };
  let held = 0;
  const giveBack = (count: number): void => {
    held -= count;
    deps.inFlight.give(count);
    wakeup.wake();
  };
  const writer = createResultWriter(deps, claim, batch, { written: wakeup.wake, failed });
  const open = createOpenLines(deps, batch, {
    ending: run.ending,
    reload: async (line) =>
      prepare(run, await readLineAt(deps, batch.input_file_id, line)).then(({ job }) => job),
    ended(line, job) {
      writer.add({ index: line.index, entry: entryOf(run, line, job), job: completedJob(line, job) });
      giveBack(1);
    },
    paused: () => giveBack(1),
    resumed() {
      held++;
      deps.inFlight.force(1);
    },
    failed,
  });
  const begin = (line: TakenLine, job?: InferenceJob): void => {
    if (!line.refusal) {
      open.start(line, job);
      return;
    }
    const { status, message, ...extras } = line.refusal;
    writer.add({
      index: line.index,
      entry: entryOfRefusal(line, new OpenaiRefusal(status, message, extras)),
    });
    giveBack(1);
  };
  const check = (): void => {
    signal.throwIfAborted();
    if (failure.error !== undefined) throw failure.error;
  };

  try {
    for (const text of (await claim.readTaken()).values()) {
      // Taken before by a runner that is gone: these count, and are never refused a slot.
      deps.inFlight.force(1);
      held++;
      begin(takenLineSchema.parse(JSON.parse(text)));
    }
    let cursor = batch.cursor;
    const lines = readLines(deps, batch.input_file_id, cursor);
    let exhausted = false;
    while (!run.ending()) {
      check();
      const free = Math.min(linesPerStep, deps.limits.linesInFlightMax - open.size);
      const wanted = !exhausted && free > 0 && open.limited === 0 && !writer.full;
      const room: boolean = wanted && (await deps.room.read()).free;
      const granted: number = room ? deps.inFlight.take(free) : 0;
      if (granted === 0) {
        if (exhausted && open.size === 0) break;
        await wakeup.wait(lookAgainMs);
        continue;
      }
      held += granted;
      const step = await nextLines(lines, granted);
      exhausted = step.length < granted;
      giveBack(granted - step.length);
      if (step.length === 0) continue;
      const taken = await Promise.all(step.map((line) => prepare(run, line)));
      cursor = after(step.at(-1), cursor);
      await claim.take(new Map(taken.map(({ line }) => [line.index, JSON.stringify(line)])), cursor);
      for (const { line, job } of taken) begin(line, job);
    }

    open.end();
    for (let checked = false; open.size > 0; checked = true) {
      check();
      if (checked) await wakeup.wait(lookAgainMs);
    }
    await writer.flush();
    check();
    const ending = run.ending() ?? "completed";
    if (ending !== "completed") await dropRest(run, lines, cursor, ending, writer);
    check();
    return ending;
  } finally {
    open.stop();
    writer.stop();
    deps.inFlight.give(held);
  }
}

/** Lines that were never taken: written as not run. */
async function dropRest(
  { batch, signal }: LinesRun,
  lines: AsyncGenerator<FileLine>,
  from: BatchCursor,
  ending: "expired" | "cancelled",
  writer: ReturnType<typeof createResultWriter>,
): Promise<void> {
  let cursor = from;
  for (;;) {
    signal.throwIfAborted();
    const step = await nextLines(lines, linesPerDrop);
    if (step.length === 0) return;
    const results = step.map((line) => {
      const parsed = parseLine(line, batch.endpoint, Infinity);
      const customId = "code" in parsed ? "" : parsed.customId;
      const jobId = lineJobId(batch, line.index, undefined);
      return { index: line.index, entry: entryOfEnding({ customId, jobId }, ending) };
    });
    cursor = after(step.at(-1), cursor);
    await writer.drop(results, cursor);
  }
}

async function nextLines(lines: AsyncGenerator<FileLine>, count: number): Promise<FileLine[]> {
  const step: FileLine[] = [];
  while (step.length < count) {
    const next = await lines.next();
    if (next.done) break;
    step.push(next.value);
  }
  return step;
}

function after(line: FileLine | undefined, cursor: BatchCursor): BatchCursor {
  if (!line) return cursor;
  return { index: line.index + 1, offset: line.offset + line.length + 1, line: line.line + 1 };
}

/** What a line asks for: a job, or why the endpoint would refuse it. */
async function prepare(
  { deps, batch }: LinesRun,
  line: FileLine,
): Promise<{ line: TakenLine; job?: InferenceJob | undefined }> {
  const { bytes: _, ...place } = line;
  const parsed = parseLine(line, batch.endpoint, Infinity);
  // Validated before, as a file that never changes: this cannot be, and must not end the batch if it is.
  if ("code" in parsed) {
    const jobId = lineJobId(batch, line.index, undefined);
    const refusal = { status: 400, message: parsed.message, code: parsed.code };
    return { line: { ...place, customId: "", jobId, refusal } };
  }
  const { customId, body } = parsed;
  try {
    const { models } = await deps.room.read();
    const { job, form } = toLineJob(batch, body, models);
    const affinity = affinityOf({ model: job.model, options: job.request.options });
    const queueName = await deps.directory.ensure(affinity);
    return { line: { ...place, customId, jobId: lineJobId(batch, line.index, job), form, queueName }, job };
  } catch (error) {
    if (!(error instanceof OpenaiRefusal)) throw error;
    const { code, param } = error.extras;
    const refusal = { status: error.status, message: error.message, code, param };
    return { line: { ...place, customId, jobId: lineJobId(batch, line.index, undefined), refusal } };
  }
}

function entryOf(run: LinesRun, line: TakenLine, job: JobRecord | undefined): LineEntry {
  const { customId, jobId, form = { model: "", base64: false } } = line;
  const ending = run.ending();
  if (!job) return entryOfEnding(line, ending === "expired" ? "expired" : "cancelled");
  return entryOfJob(run.batch.endpoint, { customId, jobId, form }, job, ending);
}

const completedJob = ({ jobId: id, queueName = "" }: TakenLine, job: JobRecord | undefined) =>
  job?.state === "completed" ? { id, queueName } : undefined;
