import { randomBytes } from "node:crypto";
import { expiringFilesKey, fileKey, filePartsKey, tenantFilesKey } from "../files/file-keys.ts";
import type { FileHead, FilePart } from "../files/file-record.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { batchKey, endedBatchesKey, openBatchesKey, recordedLinesKey, takenLinesKey } from "./batch-keys.ts";
import {
  type BatchCursor,
  type BatchEnding,
  type BatchRecord,
  type BatchStatus,
  parseBatch,
} from "./batch-record.ts";
import {
  changeBatchScript,
  claimBatchScript,
  endBatchScript,
  recordLinesScript,
  takeLinesScript,
} from "./batch-scripts.ts";

/** Somebody else runs the batch now, or Redis knows less than it did: begin again from what it has. */
export class BatchLostError extends Error {
  readonly code = "batch_lost";
}

/** Lines that end up in files together. */
export type RecordedLines = {
  readonly indexes: readonly number[];
  readonly completed: number;
  readonly failed: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly output: FilePart | undefined;
  readonly errors: FilePart | undefined;
  /** Of lines that were never taken: the cursor moves past them. */ readonly cursor?:
    | BatchCursor
    | undefined;
};

/** The right to run a batch, until somebody else claims it. Writes throw BatchLostError, and come one after another. */
export type BatchClaim = {
  readonly id: string;
  /** As it stands; undefined: it was erased. */
  read(): Promise<BatchRecord | undefined>;
  /** False: it has another status than `from`, since somebody wants it cancelled. */
  change(from: BatchStatus, fields: Readonly<Record<string, string | number>>): Promise<boolean>;
  /** Remembers what was taken before anything is done about it. */
  take(lines: ReadonlyMap<number, string>, next: BatchCursor): Promise<void>;
  readTaken(): Promise<ReadonlyMap<number, string>>;
  record(batch: BatchRecord, lines: RecordedLines): Promise<void>;
  end(
    batch: BatchRecord,
    from: BatchStatus,
    ending: BatchEnding | "failed",
    eraseAtS: number,
    fields?: Readonly<Record<string, string | number>>,
  ): Promise<boolean>;
};

/** undefined: there is no such batch. */
export async function claimBatch(space: QueueSpace, id: string): Promise<BatchClaim | undefined> {
  const { client } = space;
  const token = randomBytes(12).toString("hex");
  const key = batchKey(space, id);
  if ((await claimBatchScript(client, [key], [token])) !== 1) return undefined;
  let rev = (await client.hget(key, "rev")) ?? "0";

  let last: Promise<unknown> = Promise.resolve();
  /** One at a time: each says which change it knows. */
  const inTurn = <T>(write: () => Promise<T>): Promise<T> => {
    const turn = last.then(write, write);
    last = turn.catch(() => undefined);
    return turn;
  };
  const settle = (reply: unknown): boolean => {
    if (reply === "other") return false;
    if (typeof reply !== "number") throw new BatchLostError("the batch is run by somebody else");
    rev = String(reply);
    return true;
  };
  const flat = (fields: Readonly<Record<string, string | number>>) => Object.entries(fields).flat();

  return {
    id,
    read: async () => parseBatch(await client.hgetall(key)),
    change: (from, fields) =>
      inTurn(async () => settle(await changeBatchScript(client, [key], [token, rev, from, ...flat(fields)]))),
    take: (lines, next) =>
      inTurn(async () => {
        const cursor = [next.index, next.offset, next.line];
        const keys = [key, takenLinesKey(space, id)];
        settle(await takeLinesScript(client, keys, [token, rev, ...cursor, ...[...lines].flat()]));
      }),
    async readTaken() {
      const taken = await client.hgetall(takenLinesKey(space, id));
      return new Map(Object.entries(taken).map(([index, line]) => [Number(index), line]));
    },
    record: (batch, lines) =>
      inTurn(async () => {
        const { cursor, output, errors } = lines;
        const { output_file_id: outputId, error_file_id: errorId, tenant } = batch;
        const keys = [
          key,
          recordedLinesKey(space, id),
          takenLinesKey(space, id),
          tenantFilesKey(space, tenant),
        ];
        const files = [outputId, errorId].flatMap((each) => [
          fileKey(space, each),
          filePartsKey(space, each),
        ]);
        const reply = await recordLinesScript(
          client,
          [...keys, expiringFilesKey(space), ...files],
          [
            token,
            rev,
            lines.completed,
            lines.failed,
            lines.inputTokens,
            lines.outputTokens,
            Date.now(),
            batch.files_expire_at,
            ...fileArguments(batch, outputId, "output", output),
            ...fileArguments(batch, errorId, "error", errors),
            ...(cursor ? [cursor.index, cursor.offset, cursor.line] : ["", "", ""]),
            ...lines.indexes,
          ],
        );
        settle(reply);
      }),
    end: (batch, from, ending, eraseAtS, fields = {}) =>
      inTurn(async () => {
        const keys = [key, openBatchesKey(space), endedBatchesKey(space)];
        const lines = [recordedLinesKey(space, id), takenLinesKey(space, id)];
        const files = [batch.input_file_id, batch.output_file_id, batch.error_file_id];
        const now = Math.floor(Date.now() / 1_000);
        const reply = await endBatchScript(
          client,
          [...keys, ...lines, ...files.map((each) => fileKey(space, each))],
          [token, rev, from, ending, now, eraseAtS, id, ...flat(fields)],
        );
        return settle(reply);
      }),
  };
}

function fileArguments(
  batch: BatchRecord,
  id: string,
  kind: "output" | "error",
  part: FilePart | undefined,
): (string | number)[] {
  if (!part) return [id, "", "", 0];
  const head: FileHead = {
    v: 1,
    id,
    tenant: batch.tenant,
    purpose: "batch_output",
    filename: `${batch.id}_${kind}.jsonl`,
    created_at: Math.floor(Date.now() / 1_000),
    expires_at: batch.files_expire_at,
  };
  return [id, JSON.stringify(head), JSON.stringify(part), part.bytes];
}
