import type { Logger, Metrics } from "@forebay/service-runtime";
import type { Viewer } from "./access/viewer.ts";

/** What happens in the dashboard, each as one log line and its metric. Keys, prompts and answers never get here. */
export type DashboardEvents = ReturnType<typeof createDashboardEvents>;

export function createDashboardEvents(logger: Logger, metrics: Metrics) {
  const logins = metrics.counter("forebay_dashboard_logins_total", "Attempts to log in, by how they ended.", [
    "outcome",
  ]);
  const changes = metrics.counter("forebay_dashboard_changes_total", "Changes asked for on the board.", [
    "status",
  ]);

  return {
    startedOpen: () => logger.warn("no API keys exist: everybody on this machine is let in without a login"),
    madeSessionSecret: () =>
      logger.info("DASHBOARD_SESSION_SECRET is not set: logins end with this process and hold on no other"),
    loggedIn(viewer: Viewer, address: string) {
      logins.inc({ outcome: "ok" });
      logger.info({ key: viewer.keyId, role: viewer.role, address }, "logged in");
    },
    loginRefused(why: string, address: string) {
      logins.inc({ outcome: why });
      logger.warn({ why, address }, "login refused");
    },
    loggedOut: (viewer: Viewer) => logger.info({ key: viewer.keyId }, "logged out"),
    /** `path` names queue and job. */
    changed(viewer: Viewer, method: string, path: string, status: number) {
      changes.inc({ status: String(status) });
      logger.warn({ key: viewer.keyId, method, path, status }, "changed through the board");
    },
    forgeryRefused: (method: string, path: string, why: string) =>
      logger.warn({ method, path, why }, "request from elsewhere refused"),
    queueShown: (queue: string, title: string) => logger.info({ queue, title }, "queue on the board"),
    answerWithheld: (path: string, why: string) =>
      logger.error({ path, why }, "answer withheld: its shape is not known to be free of prompts"),
    syncFailed: (error: unknown) => logger.error({ err: error }, "looking for queues failed"),
    requestFailed: (path: string, error: unknown) => logger.error({ path, err: error }, "request failed"),
    redisFailed: (error: Error) => logger.error({ err: error.message }, "redis connection"),
  };
}
