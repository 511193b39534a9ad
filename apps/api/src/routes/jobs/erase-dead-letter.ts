import type { QueueSpace } from "@forebay/queue-bullmq";
import type { Caller } from "../../auth/caller.ts";

/** A deleted job's payload also lives in its dead letter, if it has one; only dlq-handler may touch that. */
export async function eraseDeadLetter(_space: QueueSpace, _caller: Caller, _id: string): Promise<void> {}
