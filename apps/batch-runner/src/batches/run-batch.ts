import { BlobMissingError } from "@forebay/blob-store";
import {
  type BatchClaim,
  type BatchEnding,
  type BatchError,
  type BatchRecord,
  claimBatch,
} from "@forebay/queue-bullmq";
import type { BatchDeps } from "./batch-deps.ts";
import { compactFile } from "./compact-file.ts";
import { decideEnding } from "./decide-ending.ts";
import { prepareRetry } from "./prepare-retry.ts";
import { runLines } from "./run-lines.ts";
import { validateBatch } from "./validate-batch.ts";
import { createWakeup } from "./wakeup.ts";

const nowS = (): number => Math.floor(Date.now() / 1_000);
/** How often is looked whether somebody wants it cancelled, when nobody says so. */
const controlMs = 2_000;

type Run = {
  readonly deps: BatchDeps;
  readonly claim: BatchClaim;
  readonly signal: AbortSignal;
  /** Calls back when somebody wants something of this batch. */
  readonly onChange: (listener: () => void) => () => void;
};

/**
 * Carries a batch on from wherever it is to its end: what is known of it is in Redis, so this begins after every
 * death of a runner just as it does the first time. Throws BatchLostError, and whatever the signal aborts with.
 */
export async function runBatch(
  deps: BatchDeps,
  id: string,
  signal: AbortSignal,
  onChange: Run["onChange"],
): Promise<void> {
  const claim = await claimBatch(deps.space, id);
  if (!claim) return;
  const run: Run = { deps, claim, signal, onChange };
  for (;;) {
    signal.throwIfAborted();
    const batch = await claim.read();
    switch (batch?.status) {
      case "validating":
        await validate(run, batch);
        break;
      case "cancelling":
        // Cancelled before anybody looked at it: how many lines there are is to be said all the same.
        await (batch.total === 0 ? validate(run, batch) : orGiveUp(run, batch, runAll));
        break;
      case "in_progress":
        await orGiveUp(run, batch, runAll);
        break;
      case "finalizing":
        await orGiveUp(run, batch, finalize);
        break;
      case "completed":
      case "failed":
      case "expired":
      case "cancelled":
      case undefined:
        return;
    }
  }
}

async function validate({ deps, claim, signal }: Run, batch: BatchRecord): Promise<void> {
  try {
    if (batch.retry_of !== undefined && !(await prepareRetry(deps, batch, batch.retry_of))) {
      await fail(deps, claim, batch, [gone]);
      return;
    }
    const { total, model, errors } = await validateBatch(deps, batch, signal);
    if (errors.length > 0) {
      await fail(deps, claim, batch, errors);
      return;
    }
    const found = { total, ...(model !== undefined && { model }) };
    if (batch.status !== "validating") {
      await claim.change(batch.status, found);
    } else if (
      await claim.change("validating", { ...found, status: "in_progress", "at:in_progress": nowS() })
    ) {
      deps.events.batchStarted(batch, total);
    }
  } catch (error) {
    if (!(error instanceof BlobMissingError)) throw error;
    await fail(deps, claim, batch, [gone]);
  }
}

const gone: BatchError = {
  code: "file_missing",
  message: "Content of a file of this batch is not there any more.",
  param: null,
  line: null,
};

async function fail(
  deps: BatchDeps,
  claim: BatchClaim,
  batch: BatchRecord,
  errors: readonly BatchError[],
): Promise<void> {
  const eraseAtS = nowS() + deps.limits.retentionS;
  const fields = { errors: JSON.stringify(errors) };
  if (await claim.end(batch, batch.status, "failed", eraseAtS, fields))
    deps.events.batchEnded(batch, "failed");
}

/**
 * A blob that is missing may only be missing here, with a wrong address of the store: the batch is tried again and
 * again until its time is up or somebody wants it cancelled.
 */
async function orGiveUp(
  run: Run,
  batch: BatchRecord,
  go: (run: Run, batch: BatchRecord) => Promise<void>,
): Promise<void> {
  try {
    await go(run, batch);
  } catch (error) {
    const now = error instanceof BlobMissingError ? await run.claim.read() : undefined;
    if (!now || !decideEnding(now.status, nowS(), now.expires_at)) throw error;
    await fail(run.deps, run.claim, now, [gone]);
  }
}

async function runAll({ deps, claim, signal, onChange }: Run, batch: BatchRecord): Promise<void> {
  const wakeup = createWakeup();
  let { status } = batch;
  const look = (): void =>
    void claim.read().then(
      (now) => {
        status = now?.status ?? status;
        wakeup.wake();
      },
      () => undefined,
    );
  const stopListening = onChange(look);
  const looking = setInterval(look, controlMs);
  signal.addEventListener("abort", wakeup.wake);
  try {
    const ending = () => decideEnding(status, nowS(), batch.expires_at);
    const ended = await runLines({ deps, claim, batch, signal, ending, wakeup });
    const fields = { status: "finalizing", "at:finalizing": nowS(), ending: ended };
    // It was cancelled while its last lines were written: it is run again, with nothing left to run.
    await claim.change(status === "cancelling" ? "cancelling" : "in_progress", fields);
  } finally {
    signal.removeEventListener("abort", wakeup.wake);
    clearInterval(looking);
    stopListening();
  }
}

async function finalize({ deps, claim }: Run, batch: BatchRecord): Promise<void> {
  await compactFile(deps, batch.output_file_id);
  await compactFile(deps, batch.error_file_id);
  const ending: BatchEnding = batch.ending ?? "completed";
  const eraseAtS = nowS() + deps.limits.retentionS;
  if (await claim.end(batch, "finalizing", ending, eraseAtS)) deps.events.batchEnded(batch, ending);
}
