import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { addJob, logKey, type QueueSpace, readLog, removeJob, retryJob } from "@forebay/queue-bullmq";
import {
  type Affinity,
  affinityKey,
  affinityOf,
  createJobId,
  defaultDeliveryPolicy,
  type InferenceJob,
  inferenceJobSchema,
  inferenceQueueName,
  type QueueEntry,
  queueTag,
} from "@forebay/queue-contracts";
import { z } from "zod";
import { jobTitle } from "../redaction/job-title.ts";

type Job = NonNullable<Awaited<ReturnType<BullMQAdapter["getJob"]>>>;
type CleanStatus = Parameters<BullMQAdapter["clean"]>[0];
export type QueueWorkers = Awaited<ReturnType<BullMQAdapter["getWorkers"]>>;

/** Jobs removed by one script: while it runs, Redis answers nobody. */
const cleanBatch = 1_000;

/**
 * One inference queue on the board. What the board changes goes the way the API goes, so that histories,
 * tenants' lists and priorities stay right; BullMQ's own methods know nothing of them.
 */
export class InferenceQueueAdapter extends BullMQAdapter {
  override readonly allowCompletedRetries = false;
  readonly #space: QueueSpace;
  readonly #queueName: string;
  readonly #boardName: string;
  readonly #workers: () => Promise<QueueWorkers>;

  constructor(
    space: QueueSpace,
    entry: QueueEntry,
    options: { readOnly: boolean; workers: () => Promise<QueueWorkers> },
  ) {
    super(space.queue(entry.name), {
      readOnlyMode: options.readOnly,
      displayName: affinityKey(entry),
      description: `Queue ${entry.name}`,
    });
    this.#space = space;
    this.#queueName = entry.name;
    this.#boardName = affinityKey(entry);
    this.#workers = options.workers;
    this.setFormatter("name", (job: { data: unknown }) => jobTitle(job.data));
  }

  // The menu and the addresses show this and not the display name.
  override getName(): string {
    return this.#boardName;
  }

  /** A job's events stand where BullMQ keeps log lines; a job that never began may have such lines of its own. */
  override async getJobLogs(id: string): Promise<string[]> {
    const key = logKey(this.#space.jobKey(this.#queueName, id));
    if ((await this.#space.client.type(key)) !== "stream") return super.getJobLogs(id);
    const page = await readLog(this.#space, { queueName: this.#queueName, id }, 0);
    return page.kind === "lost" ? [] : page.entries.map(({ seq, event, data }) => `${seq} ${event} ${data}`);
  }

  // Asked for every queue at every poll: one look at the workers' leases instead of CLIENT LIST for each.
  override getWorkers(): Promise<QueueWorkers> {
    return this.#workers();
  }

  override async getJob(id: string): Promise<Job | undefined> {
    const job = await super.getJob(id);
    return job && this.#withOurActions(job);
  }

  override async getJobs(...query: Parameters<BullMQAdapter["getJobs"]>): Promise<Job[]> {
    return (await super.getJobs(...query)).map((job) => this.#withOurActions(job));
  }

  override async addJob(
    _name: string,
    data: unknown,
    options: { attempts?: number; delay?: number },
  ): Promise<Job> {
    const job = this.#parse(data);
    const id = createJobId(queueTag(affinityOfJob(job)));
    const { attempts, delay: delayMs } = options;
    const place = { id, queueName: this.getQueueName() };
    await addJob(this.#space, { ...place, job, attempts, delayMs, policy: defaultDeliveryPolicy });
    const added = await this.getJob(id);
    if (!added) throw new Error("The job was taken and removed before it could be shown.");
    return added;
  }

  override async clean(status: CleanStatus, graceMs: number): Promise<void> {
    const queue = this.#space.queue(this.getQueueName());
    let removed: unknown[];
    do removed = await queue.clean(graceMs, cleanBatch, status);
    while (removed.length > 0);
  }

  #withOurActions(job: Job): Job {
    const tenant = z.object({ tenant: z.string() }).safeParse(job.data).data?.tenant;
    // Nobody's job: no list of a tenant holds it, and BullMQ's own actions do.
    if (tenant === undefined || job.id === undefined) return job;
    const place = { id: job.id, queueName: this.getQueueName(), tenant };
    const updateData = job.updateData.bind(job);
    return Object.assign(job, {
      retry: () => retryJob(this.#space, place),
      remove: async () => {
        if (!(await removeJob(this.#space, place)))
          throw new Error("A worker holds the job: cancel it first.");
      },
      updateData: async (data: unknown) => {
        const changed = this.#parse(data);
        if (changed.tenant !== tenant) throw new Error("A job stays with its tenant.");
        await updateData(changed);
      },
      changePriority: () =>
        Promise.reject(new Error("Priorities are the scheduler's: choose a lane instead.")),
    });
  }

  #parse(data: unknown): InferenceJob {
    const parsed = inferenceJobSchema.safeParse(data);
    if (!parsed.success) throw new Error(`This is no job: ${z.prettifyError(parsed.error)}`);
    if (inferenceQueueName(affinityOfJob(parsed.data)) === this.getQueueName()) return parsed.data;
    throw new Error("The model and options of this job belong to another queue.");
  }
}

function affinityOfJob({ model, request }: InferenceJob): Affinity {
  return affinityOf({ model, options: request.options });
}
