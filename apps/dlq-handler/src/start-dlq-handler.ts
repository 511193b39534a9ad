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
import { openLoop } from "./open-loop.ts";
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
  const directory = createQueueDirectory(space);
  const { policy, autoRedrive } = config;
  const now = Date.now;
  const common = { space, directory, events, now };

  const sweeper = createSweeper({ ...common, ...config.sweep, policy: autoRedrive });
  const open = (name: string, run: (signal: AbortSignal) => Promise<unknown>, intervalMs: number) =>
    stack.use(openLoop(async (signal) => void (await run(signal)), intervalMs, events.loopFailed(name)));
  const sweepLoop = open("sweep", sweeper.sweep, config.sweep.intervalMs);
  stack.use(await watchFailures(space, sweepLoop.poke));

  stack.use(
    openCommandConsumer(space, {
      name: `${hostname()}-${process.pid}-${randomBytes(2).toString("hex")}`,
      concurrency: commandsAtOnce,
      ...config.commands,
      handle: (run) => runCommand({ ...common, policy, onRedriven: events.letterRedriven }, run),
      on: { failed: auditFailedCommand(space, events), error: events.consumerFailed },
    }),
  );
  if (autoRedrive.length > 0) {
    open("redrive", () => redriveDue({ space, policy: autoRedrive, now }), dueIntervalMs);
  }
  const repairer = createIndexRepairer(space, directory);
  const upkeep = { ...common, policy, repairer, sweptAll: () => sweeper.sweptAll };
  open("upkeep", (signal) => keepUp(upkeep, signal), config.upkeepIntervalMs);
  open("gauges", () => refreshGauges(space, directory, metrics), config.gaugesIntervalMs);
}
