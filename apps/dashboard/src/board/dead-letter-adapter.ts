import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import type { QueueSpace } from "@forebay/queue-bullmq";
import { deadLetterQueueName } from "@forebay/queue-contracts";
import { jobTitle } from "../redaction/job-title.ts";

const title = "Dead letters";

/** The dead letters: always read-only, since only dlq-handler writes them; they are acted on through `/dlq`. */
export function createDeadLetterAdapter(space: QueueSpace): BullMQAdapter {
  const adapter = new BullMQAdapter(space.queue(deadLetterQueueName), {
    readOnlyMode: true,
    displayName: title,
    description: "Jobs that failed for good. Redrive, park or drop them through /dlq of the API.",
  });
  adapter.setFormatter("name", (job: { data: unknown }) => jobTitle(job.data));
  adapter.getName = () => title;
  // No worker takes them: that none is there is not worth a warning.
  adapter.getWorkers = () => Promise.resolve(null);
  return adapter;
}
