import { randomBytes } from "node:crypto";
import { parseJson } from "../redis/parse-json.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import {
  type ChangeEnd,
  changeEndSchema,
  type ChangeLine,
  changeLineSchema,
  type ModelChange,
  modelChangeQueueName,
} from "./model-change.ts";

// Read once by the caller that waits for it; kept a while for who looks what happened.
const kept = { age: 24 * 3_600, count: 1_000 };

/** Asks for a change on one host and returns its id. It happens whether or not somebody waits for it. */
export async function askModelChange(
  space: QueueSpace,
  backend: string,
  change: ModelChange,
): Promise<string> {
  const id = `chg-${randomBytes(12).toString("hex")}`;
  const options = { jobId: id, attempts: 1, removeOnComplete: kept, removeOnFail: kept };
  await space.queue(modelChangeQueueName(backend)).add(change.call, change, options);
  return id;
}

export type ModelChangeView = {
  /** What the host said last; undefined: nothing yet. */ readonly line: ChangeLine | undefined;
  /** undefined: it waits or runs. */ readonly end: ChangeEnd | undefined;
};

/** undefined: there is no such change (any more). */
export async function readModelChange(
  space: QueueSpace,
  backend: string,
  id: string,
): Promise<ModelChangeView | undefined> {
  const hash = await space.client.hgetall(space.jobKey(modelChangeQueueName(backend), id));
  if (hash["timestamp"] === undefined) return undefined;
  const line = changeLineSchema.safeParse(parseJson(hash["progress"])).data;
  if (hash["finishedOn"] === undefined) return { line, end: undefined };
  const end = changeEndSchema.safeParse(parseJson(hash["returnvalue"])).data;
  return { line, end: end ?? { status: 500, error: hash["failedReason"] ?? "the change failed" } };
}
