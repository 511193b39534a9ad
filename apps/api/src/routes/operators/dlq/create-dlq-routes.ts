import { Hono } from "hono";
import type { ApiEnv } from "../../../http/api-env.ts";
import type { DlqDeps } from "./dlq-deps.ts";
import { dropDeadLetters } from "./drop-dead-letters.ts";
import { getAction } from "./get-action.ts";
import { getDeadLetter } from "./get-dead-letter.ts";
import { listAudit } from "./list-audit.ts";
import { listDeadLetters } from "./list-dead-letters.ts";
import { listGroups } from "./list-groups.ts";
import { parkDeadLetters } from "./park-dead-letters.ts";
import { redriveDeadLetters } from "./redrive-dead-letters.ts";

/** Operators' view of dead letters. Everything here reads; changes are asked for and done by dlq-handler. */
export function createDlqRoutes(deps: DlqDeps): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  routes.get("/", listDeadLetters(deps));
  routes.delete("/", dropDeadLetters(deps));
  routes.get("/groups", listGroups(deps));
  routes.get("/audit", listAudit(deps));
  routes.get("/actions/:id", getAction(deps));
  routes.post("/redrive", redriveDeadLetters(deps));
  routes.post("/park", parkDeadLetters(deps));
  routes.get("/:id", getDeadLetter(deps));
  return routes;
}
