import type { RedrivePatch } from "@forebay/queue-bullmq";
import { contextBucket } from "@forebay/queue-contracts";
import type { ApiHandler } from "../../../http/api-env.ts";
import { Problem } from "../../../http/problem.ts";
import { refuseQuery } from "../../../http/query.ts";
import { parseBody } from "../../../http/parse-body.ts";
import { readJsonBody } from "../../../http/read-json-body.ts";
import { redriveBodySchema } from "./action-body.ts";
import { askForAction, targetOf } from "./ask-for-action.ts";
import type { DlqDeps } from "./dlq-deps.ts";

/** `POST /dlq/redrive` */
export function redriveDeadLetters(deps: DlqDeps): ApiHandler {
  return async (context) => {
    refuseQuery(context.req.url);
    const body = parseBody(redriveBodySchema, await readJsonBody(context.env.incoming, deps.body));
    const { rate_per_s, dry_run } = body;
    const patch = body.patch && (await resolvePatch(deps, body.patch));
    const wish = {
      action: "redrive",
      target: targetOf(body),
      ...(patch && { patch }),
      ...(rate_per_s !== undefined && { rate_per_s }),
    } as const;
    return askForAction(deps, context.get("caller"), wish, dry_run);
  };
}

/** A patch with its options as a new job would have them. Throws Problem for a model nobody has. */
async function resolvePatch({ models, jobs }: DlqDeps, patch: RedrivePatch): Promise<RedrivePatch> {
  const { model, options } = patch;
  if (model !== undefined) await requireModel(models, model);
  if (options?.num_ctx === undefined) return patch;
  return { ...patch, options: { ...options, num_ctx: contextBucket(options.num_ctx, jobs.contextBuckets) } };
}

async function requireModel(models: DlqDeps["models"], model: string): Promise<void> {
  try {
    await models.require(model);
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== "model_not_found") throw error;
    const errors = [{ path: "patch.model", message: "is not known here" }];
    throw new Problem(error.code, error.message, { ...error.extras, errors }, { cause: error });
  }
}
