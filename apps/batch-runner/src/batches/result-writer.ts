import {
  type BatchClaim,
  type BatchCursor,
  type BatchRecord,
  createBatchBlobKey,
  type FilePart,
  removeJob,
} from "@forebay/queue-bullmq";
import type { LineEntry } from "../lines/line-entry.ts";
import type { BatchDeps } from "./batch-deps.ts";

/** A line with what it came to. */
type Result = {
  readonly index: number;
  readonly entry: LineEntry;
  /** A completed job whose result is not needed any more once the line is written. */
  readonly job?: { readonly id: string; readonly queueName: string } | undefined;
};

/** Collects results and writes them together: first the blobs, then, in one script, that they belong to the files. */
export type ResultWriter = {
  add(result: Result): void;
  /** Lines that were never taken; the cursor moves past them as they are written. */
  drop(results: readonly Result[], cursor: BatchCursor): Promise<void>;
  /** Resolves once all that was added is written. */
  flush(): Promise<void>;
  /** So much waits to be written that no more should come for now. */ readonly full: boolean;
  stop(): void;
};

const resultsPerPart = 500;
const bytesPerPart = 1_000_000;
/** In memory, while the blob store takes its time. */
const pendingMax = 2_000;
const pendingBytesMax = 16_000_000;

export function createResultWriter(
  deps: BatchDeps,
  claim: BatchClaim,
  batch: BatchRecord,
  on: { written(): void; failed(error: unknown): void },
): ResultWriter {
  let waiting: Result[] = [];
  let waitingBytes = 0;
  let pending = 0;
  let pendingBytes = 0;
  let timer: NodeJS.Timeout | undefined;
  let last: Promise<void> = Promise.resolve();

  const write = async (results: readonly Result[], cursor?: BatchCursor): Promise<void> => {
    const [output, errors] = await Promise.all([putPart("output", results), putPart("error", results)]);
    const completed = results.filter(({ entry }) => entry.file === "output").length;
    const sum = (of: (result: Result) => number): number =>
      results.reduce((total, each) => total + of(each), 0);
    await claim.record(batch, {
      indexes: results.map(({ index }) => index),
      completed,
      failed: results.length - completed,
      inputTokens: sum(({ entry }) => entry.usage?.prompt_tokens ?? 0),
      outputTokens: sum(({ entry }) => entry.usage?.completion_tokens ?? 0),
      output,
      errors,
      cursor,
    });
    deps.events.linesWritten(completed, results.length - completed);
    // 50,000 results would push those of everybody else out of what a queue keeps.
    await Promise.allSettled(
      results.flatMap(({ job }) => (job ? [removeJob(deps.space, { ...job, tenant: batch.tenant })] : [])),
    );
  };
  const putPart = async (
    file: LineEntry["file"],
    results: readonly Result[],
  ): Promise<FilePart | undefined> => {
    const texts = results.filter(({ entry }) => entry.file === file).map(({ entry }) => entry.text);
    if (texts.length === 0) return undefined;
    const key = await createBatchBlobKey(deps.space, batch.id, file);
    const content = (async function* () {
      yield Buffer.from(texts.join(""));
    })();
    return { key, bytes: await deps.blobs.put(key, content) };
  };
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const turn = last.then(work);
    last = turn.catch(on.failed);
    return turn;
  };
  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    const results = waiting;
    const bytes = waitingBytes;
    waiting = [];
    waitingBytes = 0;
    return inTurn(async () => {
      if (results.length > 0) await write(results);
      pending -= results.length;
      pendingBytes -= bytes;
      on.written();
    });
  };
  const flushSoon = (): void => void flush().catch(() => undefined);

  return {
    get full() {
      return pending >= pendingMax || pendingBytes >= pendingBytesMax;
    },
    add(result) {
      waiting.push(result);
      waitingBytes += result.entry.text.length;
      pending++;
      pendingBytes += result.entry.text.length;
      if (waiting.length >= resultsPerPart || waitingBytes >= bytesPerPart) flushSoon();
      else timer ??= setTimeout(flushSoon, deps.limits.flushMs);
    },
    drop: (results, cursor) => inTurn(() => write(results, cursor)),
    flush,
    stop: () => clearTimeout(timer),
  };
}
