import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { batchQueueName, commandQueueName, type QueueSpace, scheduleQueueName } from "@forebay/queue-bullmq";
import { deadLetterQueueName } from "@forebay/queue-contracts";
import { jobTitle } from "../redaction/job-title.ts";

// Queues that hold no inference jobs. Each has one service that writes it, and that is never the dashboard.
const internalQueues = [
  {
    name: batchQueueName,
    title: "Batches",
    description: "Batches that are not over; their lines are jobs on the queues of models.",
    titleOf: ({ id }: ShownJob) => `run of ${id}`,
  },
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
];

type ShownJob = { readonly id?: string | null; readonly data: unknown };

/** The queues beside the inference queues: always read-only. */
export function createInternalQueues(space: QueueSpace): BullMQAdapter[] {
  return internalQueues.map(({ name, title, description, titleOf = titleByData }) => {
    const adapter = new BullMQAdapter(space.queue(name), {
      readOnlyMode: true,
      displayName: title,
      description,
    });
    adapter.getName = () => title;
    adapter.setFormatter("name", titleOf);
    // Whoever takes these jobs holds no lease on models: whether somebody is there is not known here.
    adapter.getWorkers = () => Promise.resolve(null);
    return adapter;
  });
}

const titleByData = ({ data }: ShownJob): string => jobTitle(data);
