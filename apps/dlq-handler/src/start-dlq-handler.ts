import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import {
  createIndexRepairer,
  createQueueDirectory,
  openCommandConsumer,
  openQueueSpace,
  type Redis,
  watchFailures,
} from "@forebay/queue-bullmq";
import { auditFailedCommand } from "./commands/audit-failed-command.ts";
import { runCommand } from "./commands/run-command.ts";
import type { DlqConfig } from "./config.ts";
import type { DlqMetrics } from "./dlq-metrics.ts";
import type { DlqEvents } from "./events.ts";
import { type Loop, openLoop } from "./open-loop.ts";
import { redriveDue } from "./redrive/redrive-due.ts";
import { createSweeper } from "./sweep/create-sweeper.ts";
import { keepUp } from "./upkeep/keep-up.ts";
import { refreshGauges } from "./upkeep/refresh-gauges.ts";

const commandsAtOnce = 4;
const dueIntervalMs = 1_000;

/** Opens everything dlq-handler does on a Redis connection; what it opened is on `stack`. */
export async function startDlqHandler(
  config: DlqConfig,
  client: Redis,
  metrics: DlqMetrics,
  events: DlqEvents,
  stack: AsyncDisposableStack,
): Promise<void> {
  const space = openQueueSpace(client, config.redis.prefix);
  stack.defer(() => space.close());
  const directory = createQueueDirectory(space, config.queuesMax);
  const common = { space, directory, policy: config.policy, events, now: Date.now };
  const sweeper = createSweeper({ ...common, ...config.sweep, autoRedrive: config.autoRedrive });
  const repairer = createIndexRepairer(space, directory);

  // Stopped together: each may have to give up waiting for an absent Redis, and the time for all is short.
  const parts: AsyncDisposable[] = [];
  stack.defer(async () => void (await Promise.all(parts.map((part) => part[Symbol.asyncDispose]()))));
  const open = (name: string, intervalMs: number, run: (signal: AbortSignal) => Promise<unknown>): Loop => {
    const loop = openLoop(async (signal) => void (await run(signal)), intervalMs, events.loopFailed(name));
    parts.push(loop);
    return loop;
  };

  const sweepLoop = open("sweep", config.sweep.intervalMs, sweeper.sweep);
  stack.use(await watchFailures(space, sweepLoop.poke));
  parts.push(
    openCommandConsumer(space, {
      name: `${hostname()}-${process.pid}-${randomBytes(2).toString("hex")}`,
      concurrency: commandsAtOnce,
      ...config.commands,
      handle: (run) => runCommand({ ...common, onRedriven: events.letterRedriven }, run),
      on: { failed: auditFailedCommand(space, events), error: events.consumerFailed },
    }),
  );
  if (config.autoRedrive.length > 0) {
    open("redrive", dueIntervalMs, () => redriveDue({ ...common, autoRedrive: config.autoRedrive }));
  }
  const upkeep = { ...common, repairer, sweptAll: () => sweeper.sweptAll };
  open("upkeep", config.upkeepIntervalMs, (signal) => keepUp(upkeep, signal));
  open("gauges", config.gaugesIntervalMs, () => refreshGauges(space, directory, metrics));
}
