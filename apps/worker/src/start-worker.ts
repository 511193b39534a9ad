import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import {
  createQueueDirectory,
  openDispatcher,
  openQueueSpace,
  publishLoad,
  type Redis,
  retractWorker,
  watchLoads,
  watchQueueDirectory,
  watchStops,
} from "@forebay/queue-bullmq";
import { openBackend } from "./backends/backend.ts";
import { createFleet } from "./backends/fleet.ts";
import { createModelCards } from "./backends/learn-model-cards.ts";
import { createLeaseKeeper } from "./backends/lease-keeper.ts";
import { readBackends } from "./backends/read-backends.ts";
import type { WorkerConfig } from "./config.ts";
import { createElsewhere } from "./dispatch/elsewhere.ts";
import { createFeeder, type Seat } from "./dispatch/feeder.ts";
import { keepAliveS } from "./dispatch/keep-alive.ts";
import type { WorkerEvents } from "./events.ts";
import { type HeldSeat, runJob } from "./jobs/run-job.ts";
import { openModelChanges } from "./model-changes/follow-hosts.ts";
import { refreshOnce } from "./queues/refresh.ts";
import { startRefreshLoop } from "./queues/refresh-loop.ts";

/** Lease in intervals of discovery: two announcements may be lost before the worker counts as gone. */
const leaseIntervals = 3;

/** Opens a worker on a Redis connection; what it opened is on `stack`, last opened first closed. */
export async function startWorker(
  config: WorkerConfig,
  client: Redis,
  events: WorkerEvents,
  stack: AsyncDisposableStack,
): Promise<void> {
  const worker = config.name ?? `${hostname()}-${process.pid}-${randomBytes(2).toString("hex")}`;
  const space = openQueueSpace(client, config.redis.prefix);
  stack.defer(() => space.close());
  const directory = createQueueDirectory(space);
  const cards = createModelCards();
  const fleet = createFleet((settings) =>
    openBackend(settings, (digest) => cards.find(digest)?.capabilities ?? []),
  );
  stack.defer(() => fleet.close());
  fleet.match(await readBackends(config));

  const elsewhere = createElsewhere();
  const paused = new Set<string>();
  const leases = createLeaseKeeper(
    space,
    { worker, leaseMs: config.slotLeaseMs },
    () => dispatcher.poke(),
    events.leaseFailed,
  );
  stack.defer(() => leases.close());
  const own = (): Set<string> => new Set(fleet.backends.map(({ name }) => name));
  const tellLoad = (seat: Seat, loading: boolean): void => {
    const { backend, resident } = seat;
    const notice = { worker, backend: backend.name, affinity: resident.affinity, loading };
    publishLoad(space, { ...notice, slots: backend.slots(resident.model) }).catch(events.leaseFailed);
  };
  /** What the load threw out is known when the host was looked at; until then it is given nothing else. Then all know. */
  const afterLoad = async (loaded: Seat): Promise<void> => {
    await loaded.backend.refreshLoaded().catch(() => undefined);
    tellLoad(loaded, false);
    dispatcher.poke();
    loop.poke();
  };
  const feeder = createFeeder({
    backends: () => fleet.backends,
    leases,
    elsewhere,
    passedOverMsMax: config.affinityWaitMs,
    isPaused: (model) => paused.has(model),
    onLoad(seat) {
      events.loadBegan(seat.backend, seat.resident.affinity);
      tellLoad(seat, true);
    },
  });

  const dispatcher = openDispatcher<HeldSeat>(space, {
    worker,
    policy: config.policy,
    lockMs: config.lockMs,
    stalledCheckMs: config.stalledCheckMs,
    choose(heads, nowMs) {
      const choice = feeder.choose(heads, nowMs);
      return choice && { queueName: choice.queueName, seat: { seat: choice.seat } };
    },
    leave: ({ seat }) => feeder.leave(seat),
    backendOf: ({ seat }) => seat.backend.name,
    handle: (delivery, held) =>
      runJob(
        {
          fleet,
          feeder,
          events,
          firstByteTimeoutMs: config.firstByteTimeoutMs,
          tokenTimeoutMs: config.tokenTimeoutMs,
          keepAliveS: (seat) => keepAliveS(config.keepAliveS, feeder.waits(seat.queueName)),
          queueOf: (affinity) => directory.ensure(affinity),
          onBackendsChanged: () => dispatcher.poke(),
          onLoaded: (loaded) => void afterLoad(loaded),
        },
        delivery,
        held,
      ),
    on: {
      stalled: (queueName) => events.jobStalled(feeder.modelOf(queueName)),
      lockLost: (queueName) => events.lockLost(feeder.modelOf(queueName)),
      error: events.consumerFailed,
    },
  });
  stack.defer(() => dispatcher.close(AbortSignal.timeout(config.shutdownGraceMs)));
  stack.defer(() => retractWorker(space, worker));

  const leaseS = Math.max(3, Math.ceil((config.discoveryIntervalMs * leaseIntervals) / 1_000));
  const modelChanges = config.modelChanges
    ? stack.use(
        openModelChanges({
          space,
          worker,
          lockMs: config.lockMs,
          stalledCheckMs: config.stalledCheckMs,
          silenceMs: config.firstByteTimeoutMs,
          events,
          onChanged: () => loop.poke(),
        }),
      )
    : undefined;
  const refresher = {
    modelChanges,
    space,
    directory,
    fleet,
    feeder,
    elsewhere,
    dispatcher,
    cards,
    events,
    worker,
    leaseS,
    paused,
    readBackends: () => readBackends(config),
    startedAt: new Date(),
    told: new Map(),
  };
  const loop = stack.use(
    startRefreshLoop(() => refreshOnce(refresher), fleet, config.discoveryIntervalMs, events.refreshFailed),
  );
  stack.use(await watchQueueDirectory(space, () => loop.poke()));
  stack.use(await watchStops(space, dispatcher.stopJob));
  stack.use(
    await watchLoads(space, (notice) => {
      if (notice.worker === worker) return;
      elsewhere.heard(notice, own(), Date.now());
      dispatcher.poke();
    }),
  );
}
