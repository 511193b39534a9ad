import {
  affinityOf,
  createJobId,
  deliveryOptions,
  type InferenceJob,
  inferenceJobSchema,
  queueEntry,
} from "@forebay/queue-contracts";

export type PreparedJob = {
  queue: string;
  id: string;
  data: InferenceJob;
  options: ReturnType<typeof deliveryOptions>;
};

/** Everything `queue.add` needs, from one question. Throws ZodError. */
export function prepareJob(question: string): PreparedJob {
  const data = inferenceJobSchema.parse({
    v: 1,
    type: "chat",
    tenant: "reports",
    lane: "batch",
    model: "llama3.2:3b",
    request: { messages: [{ role: "user", content: question }], options: { temperature: 0 } },
  });
  const { tag, entry } = queueEntry(affinityOf({ model: data.model, options: data.request.options }));
  return { queue: entry.name, id: createJobId(tag), data, options: deliveryOptions(data) };
}
