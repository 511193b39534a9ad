import { randomBytes } from "node:crypto";
import type { Queue } from "bullmq";
import type { QueueSpace } from "../queues/queue-space.ts";
import { parseJson } from "../jobs/job-record.ts";
import { type LastRun, lastRunSchema, type Schedule, scheduleQueueName, scheduleSchema } from "./schedule.ts";

/**
 * Schedules and the ticks that BullMQ makes of them. The stored schedule is the truth; `assertTicks` makes
 * BullMQ agree with it, and is repeated, since a scheduler that lost its next job would be silent for ever.
 */
export type ScheduleStore = {
  list(): Promise<Schedule[]>;
  find(id: string): Promise<Schedule | undefined>;
  /** Writes it and makes its ticks agree. */
  save(schedule: Schedule): Promise<void>;
  remove(id: string): Promise<void>;
  assertTicks(schedule: Schedule): Promise<void>;
  /** Ends the ticks of schedules that are not there any more. */
  removeStrayTicks(known: readonly Schedule[]): Promise<void>;
  recordRun(id: string, run: LastRun): Promise<void>;
  readLastRun(id: string): Promise<LastRun | undefined>;
};

export function createScheduleId(): string {
  return `sch_${randomBytes(16).toString("hex").slice(0, 20)}`;
}

const tickName = "tick";

export function createScheduleStore(space: QueueSpace): ScheduleStore {
  const key = space.key("schedules");
  const runsKey = space.key("schedules", "last");
  const queue = () => space.queue(scheduleQueueName);

  const assertTicks = async ({ id, rhythm, paused }: Schedule): Promise<void> => {
    if (paused) {
      await queue().removeJobScheduler(id);
      return;
    }
    // To put a scheduler again drops its next tick, and with it a run that is due and was not started yet.
    if (await hasTick(queue(), id, rhythm)) return;
    const repeat = "cron" in rhythm ? { pattern: rhythm.cron, tz: rhythm.tz } : { every: rhythm.every_ms };
    await queue().upsertJobScheduler(id, repeat, {
      name: tickName,
      data: { schedule: id },
      opts: {
        removeOnComplete: true,
        removeOnFail: 100,
        attempts: 5,
        backoff: { type: "fixed", delay: 1_000 },
      },
    });
  };

  return {
    assertTicks,
    async list() {
      const texts = Object.values(await space.client.hgetall(key));
      return texts
        .map((text) => scheduleSchema.safeParse(parseJson(text)).data)
        .filter((each) => each !== undefined);
    },
    async find(id) {
      const text = await space.client.hget(key, id);
      return scheduleSchema.safeParse(parseJson(text ?? undefined)).data;
    },
    async save(schedule) {
      await space.client.hset(key, schedule.id, JSON.stringify(schedule));
      await assertTicks(schedule);
    },
    async remove(id) {
      await space.client.hdel(key, id);
      await space.client.hdel(runsKey, id);
      await queue().removeJobScheduler(id);
    },
    async removeStrayTicks(known) {
      const ids = new Set(known.map(({ id }) => id));
      for (const { key: id } of await queue().getJobSchedulers(0, -1)) {
        if (!ids.has(id)) await queue().removeJobScheduler(id);
      }
    },
    async recordRun(id, run) {
      await space.client.hset(runsKey, id, JSON.stringify(run));
    },
    async readLastRun(id) {
      return lastRunSchema.safeParse(parseJson((await space.client.hget(runsKey, id)) ?? undefined)).data;
    },
  };
}

/** Whether BullMQ has a scheduler of this rhythm, and the job of its next tick. */
async function hasTick(queue: Queue, id: string, rhythm: Schedule["rhythm"]): Promise<boolean> {
  const scheduler = await queue.getJobScheduler(id);
  if (!scheduler?.next) return false;
  const same =
    "cron" in rhythm
      ? scheduler.pattern === rhythm.cron && scheduler.tz === rhythm.tz
      : scheduler.every === rhythm.every_ms;
  return same && (await queue.getJobState(`repeat:${id}:${scheduler.next}`)) !== "unknown";
}
