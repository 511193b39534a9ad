import { type DeadLetter, deadLetterSchema } from "@forebay/queue-contracts";
import { z } from "zod";
import { parseJson } from "../jobs/job-record.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { deadLetterKeys } from "./dead-letter-keys.ts";
import { type DeadLetterSummary, deadLetterSummarySchema } from "./dead-letter-summary.ts";
import { runPipeline } from "./run-pipeline.ts";

/** An action that changed a letter, and what it found, so that it can be gone on with after a crash. */
const letterMarkSchema = z.object({
  action: z.string(),
  /** Queue the job was on. */ from: z.string(),
  /** The failure it acted on: `last_failed_at` at that time. */ failed_at: z.iso.datetime(),
});
export type LetterMark = z.infer<typeof letterMarkSchema>;

/** So many actions of a letter are remembered: more than can be under way on it at one time. */
const marksMax = 8;

export type StoredLetter = {
  readonly rev: number;
  /** undefined: what is stored does not parse. */
  readonly letter: DeadLetter | undefined;
  /** The newest first. */
  readonly marks: readonly LetterMark[];
};

export async function readStoredLetter(space: QueueSpace, id: string): Promise<StoredLetter | undefined> {
  const key = deadLetterKeys(space).letter(id);
  const [rev, data, marks] = await space.client.hmget(key, "rev", "data", "marks");
  if (typeof rev !== "string") return undefined;
  return {
    rev: Number(rev),
    letter: deadLetterSchema.safeParse(parseJson(data ?? undefined)).data,
    marks: z.array(letterMarkSchema).safeParse(parseJson(marks ?? undefined)).data ?? [],
  };
}

/** The marks of a letter with one more. */
export function addMark(marks: readonly LetterMark[], mark: LetterMark): LetterMark[] {
  return [mark, ...marks].slice(0, marksMax);
}

/** The whole letter of a job, or undefined. */
export async function readDeadLetter(space: QueueSpace, id: string): Promise<DeadLetter | undefined> {
  return (await readStoredLetter(space, id))?.letter;
}

/** The letters of these ids without their big parts; undefined where there is none. */
export async function readSummaries(
  space: QueueSpace,
  ids: readonly string[],
): Promise<(DeadLetterSummary | undefined)[]> {
  const keys = deadLetterKeys(space);
  const pipeline = space.client.pipeline();
  for (const id of ids) pipeline.hget(keys.letter(id), "summary");
  const texts = await runPipeline(pipeline);
  return texts.map((text) =>
    typeof text === "string" ? deadLetterSummarySchema.safeParse(parseJson(text)).data : undefined,
  );
}

/** How many letters are in each state. */
export async function countDeadLetters(space: QueueSpace): Promise<Record<DeadLetter["state"], number>> {
  const keys = deadLetterKeys(space);
  const pipeline = space.client.pipeline();
  for (const state of ["dead", "parked", "redriven", "dropped"] as const) pipeline.zcard(keys.inState(state));
  const [dead, parked, redriven, dropped] = (await runPipeline(pipeline)).map(Number);
  return { dead: dead ?? 0, parked: parked ?? 0, redriven: redriven ?? 0, dropped: dropped ?? 0 };
}
