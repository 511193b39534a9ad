import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { commandQueueName, type QueueSpace, scheduleQueueName } from "@forebay/queue-bullmq";
import { deadLetterQueueName } from "@forebay/queue-contracts";
import { jobTitle } from "../redaction/job-title.ts";

// Queues that hold no inference jobs. Each has one service that writes it, and that is never the dashboard.
const internalQueues = [
  {
    name: deadLetterQueueName,
    title: "Dead letters",
    description: "Jobs that failed for good. Redrive, park or drop them through /dlq of the API.",
  },
  {
    name: commandQueueName,
    title: "Dead-letter actions",
    description: "What dlq-handler was asked to do with dead letters, through /dlq of the API.",
  },
  {
    name: scheduleQueueName,
    title: "Schedule ticks",
    description: "When recurring jobs are due; they are kept through /schedules of the API.",
  },
] as const;

/** The queues beside the inference queues: always read-only. */
export function createInternalQueues(space: QueueSpace): BullMQAdapter[] {
  return internalQueues.map(({ name, title, description }) => {
    const adapter = new BullMQAdapter(space.queue(name), {
      readOnlyMode: true,
      displayName: title,
      description,
    });
    adapter.getName = () => title;
    adapter.setFormatter("name", (job: { data: unknown }) => jobTitle(job.data));
    // Whoever takes these jobs holds no lease on models: whether somebody is there is not known here.
    adapter.getWorkers = () => Promise.resolve(null);
    return adapter;
  });
}
