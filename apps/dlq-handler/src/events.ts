import {
  type ActionCounts,
  type DeadLetterCommand,
  type IndexRepairs,
  isRedisUnavailable,
} from "@forebay/queue-bullmq";
import type { DeadLetter } from "@forebay/queue-contracts";
import type { Logger } from "@forebay/service-runtime";
import type { DlqMetrics } from "./dlq-metrics.ts";

/** What happens in dlq-handler, each as one log line and its metrics. Payloads never get here. */
export type DlqEvents = ReturnType<typeof createDlqEvents>;

export function createDlqEvents(logger: Logger, metrics: DlqMetrics) {
  return {
    deadLetterRecorded(letter: DeadLetter) {
      const { job_id, tenant, type, model, failure, redrives, fingerprint } = letter;
      metrics.deadLettersTotal.inc({ code: failure.code });
      const line = { job_id, tenant, type, model, code: failure.code, redrives, fingerprint };
      logger.warn(line, redrives > 0 ? "dead letter again" : "dead letter");
    },
    jobNotRecorded: (id: string, error: unknown) =>
      logger.error({ job_id: id, err: error }, "a failed job could not be made a dead letter; tried again"),
    foreignJobsSeen: (queue: string, jobs: number) =>
      logger.warn({ queue, jobs }, "failed jobs whose ids are not Forebay's have no dead letters"),
    sweepFailed: (queue: string, error: unknown) =>
      logger.error({ queue, err: error }, "sweeping a failed set broke off; tried again"),
    lettersReconciled(letters: number) {
      if (letters > 0) logger.info({ letters }, "dead letters whose jobs were put back by their owners");
    },

    letterRedriven(letter: DeadLetter) {
      metrics.redrivesTotal.inc({ code: letter.failure.code });
      const { job_id, tenant, model, failure, redrives } = letter;
      logger.info({ job_id, tenant, model, code: failure.code, redrives }, "dead letter redriven");
    },
    letterNotChanged: (action: string, id: string, error: Error) =>
      logger.warn({ action_id: action, job_id: id, reason: error.message }, "dead letter not changed"),
    actionCompleted: (id: string, command: DeadLetterCommand, counts: ActionCounts) =>
      logger.info(
        { action_id: id, action: command.action, actor: command.actor, counts },
        "action on dead letters completed",
      ),
    actionFailed(id: string, command: DeadLetterCommand | undefined, error: Error, final: boolean) {
      const line = { action_id: id, action: command?.action, err: error };
      if (final) logger.error(line, "action on dead letters given up");
      else logger.warn(line, "action on dead letters broke off; tried again");
    },

    jobsCleaned(jobs: number) {
      if (jobs > 0) logger.info({ jobs }, "old jobs removed");
    },
    lettersExpired(letters: number) {
      if (letters > 0) logger.info({ letters }, "old dead letters removed");
    },
    indexRepaired({ examined, repaired }: IndexRepairs) {
      if (repaired > 0) logger.info({ examined, repaired }, "entries of tenants' indexes mended");
    },

    loopFailed: (loop: string) => (error: unknown) =>
      logger.error({ loop, err: error }, "a round failed; the next one comes"),
    consumerFailed(error: Error) {
      // The connection itself says when it is away.
      if (!isRedisUnavailable(error)) logger.error({ err: error }, "command consumer");
    },
    auditFailed: (id: string, error: unknown) =>
      logger.error({ action_id: id, err: error }, "an action could not be audited"),
    redisFailed: (error: Error) => logger.error({ err: error.message }, "redis connection"),
  };
}
