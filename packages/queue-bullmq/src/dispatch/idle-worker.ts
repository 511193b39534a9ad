import { type Job, Worker, type WorkerOptions } from "bullmq";

/**
 * BullMQ's worker without its loop: somebody else decides when a job is taken. All the rest is BullMQ's: the
 * lock, its renewal, the search for stalled jobs, and where a job goes when it ended.
 *
 * Its own loop would hold one blocking connection for each queue; this one shares the caller's.
 */
export class IdleWorker<Result> extends Worker<unknown, Result> {
  private taken = 0;

  constructor(
    name: string,
    process: (job: Job, token?: string) => Promise<Result>,
    options: Omit<WorkerOptions, "autorun" | "concurrency">,
  ) {
    super(name, process, { ...options, autorun: false });
  }

  // Called by the base class's constructor.
  protected override createBackend(): void {
    this.backend = this.backendFactory(this.name, this.opts, {});
  }

  /** Renews locks and looks for stalled jobs until it is closed; `run`, which would do it, is never called. */
  async watchLocks(): Promise<void> {
    this.lockManager.start();
    await this.startStalledCheckTimer();
  }

  /** Moves the queue's next job, if there is one, under a lock of ours. */
  async take(): Promise<Job | undefined> {
    // BullMQ's types promise a job; there may be none.
    const job: Job | undefined = await this.getNextJob(`${this.id}:${this.taken++}`, { block: false });
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
