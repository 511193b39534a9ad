import { createRedisBackend, type Job, type RedisQueueBackend, Worker, type WorkerOptions } from "bullmq";

/**
 * BullMQ's worker without its loop: somebody else decides when a job is taken. All the rest is BullMQ's: the
 * lock, its renewal, the search for stalled jobs, and where a job goes when it ended.
 *
 * Its own loop would hold one blocking connection for each queue; this one shares the caller's.
 */
export class IdleWorker<Result> extends Worker<unknown, Result> {
  private taken = 0;

  /** @param adapt given BullMQ's backend of the queue, to have its commands carry more */
  constructor(
    name: string,
    process: (job: Job, token?: string) => Promise<Result>,
    options: Omit<WorkerOptions, "autorun" | "concurrency">,
    adapt: (backend: RedisQueueBackend) => RedisQueueBackend,
  ) {
    super(name, process, { ...options, autorun: false }, (...args) => adapt(createRedisBackend(...args)));
  }

  // Called by the base class's constructor; without a connection of its own to wait on.
  protected override createBackend(): void {
    this.backend = this.backendFactory(this.name, this.opts, {});
  }

  /** Renews locks and looks for stalled jobs until it is closed; `run`, which would do it, is never called. */
  async watchLocks(): Promise<void> {
    this.lockManager.start();
    await this.startStalledCheckTimer();
  }

  /** A token nobody has used, for `take`. */
  nextToken(): string {
    return `${this.id}:${this.taken++}`;
  }

  /** Moves the queue's next job, if there is one, under a lock of ours. */
  async take(token: string): Promise<Job | undefined> {
    // BullMQ's types promise a job; there may be none.
    const job: Job | undefined = await this.getNextJob(token, { block: false });
    return job;
  }

  /**
   * Runs a job that was taken, and says its end. `fetchNext` is asked when it has ended: true takes the queue's
   * next job in the same command.
   */
  async finish(job: Job, fetchNext: () => boolean): Promise<Job | undefined> {
    return (await this.processJob(job, job.token ?? "", fetchNext)) ?? undefined;
  }
}
