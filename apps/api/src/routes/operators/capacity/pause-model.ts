import { readRegistry, setWish } from "@forebay/queue-bullmq";
import { canonicalModelName } from "@forebay/queue-contracts";
import { z } from "zod";
import type { ApiHandler } from "../../../http/api-env.ts";
import { jsonResponse } from "../../../http/json-response.ts";
import { parseBody } from "../../../http/parse-body.ts";
import { Problem } from "../../../http/problem.ts";
import { refuseQuery } from "../../../http/query.ts";
import { readJsonBody } from "../../../http/read-json-body.ts";
import type { CapacityDeps } from "./capacity-deps.ts";

/** A name may hold slashes, so it is in the body and not in the address. */
export const pauseBodySchema = z.strictObject({
  model: z.string().min(1).max(512).describe("With or without its tag."),
});

/** `POST /capacity/models/pause`, and with `paused` false `…/resume`. */
export function pauseModel(deps: CapacityDeps, paused: boolean): ApiHandler {
  return async (context) => {
    refuseQuery(context.req.url);
    const body = parseBody(pauseBodySchema, await readJsonBody(context.env.incoming, deps.body));
    const model = canonicalModelName(body.model);
    const { models } = await readRegistry(deps.space);
    if (paused && !models.has(model)) {
      throw new Problem(
        "model_not_found",
        "No worker serves a model of this name; GET /models lists those there are.",
      );
    }
    await setWish(deps.space, "paused", model, paused);
    return jsonResponse(200, { model, paused });
  };
}
