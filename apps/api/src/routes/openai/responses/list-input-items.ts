import { inputItems, OpenaiRefusal } from "@forebay/openai-format";
import type { ApiHandler } from "../../../http/api-env.ts";
import { jsonResponse } from "../../../http/json-response.ts";
import type { JobDeps } from "../../jobs/job-deps.ts";
import { findResponse } from "./find-response.ts";
import { readResponseQuery } from "./response-query.ts";

const limitPreset = 20;
const limitMax = 100;

/** `GET /v1/responses/{id}/input_items`: what it was given itself, newest first unless asked otherwise. */
export function listInputItems(deps: JobDeps): ApiHandler {
  return async (context) => {
    const query = readResponseQuery(context.req.url, ["limit", "order", "after"]);
    const limit = parseLimit(query.get("limit"));
    const order = parseOrder(query.get("order"));
    const { response } = await findResponse(deps, context.get("caller"), context.req.param("id") ?? "");
    const items = inputItems(response) as { id: string }[];
    const ordered = order === "asc" ? items : items.toReversed();
    const from = positionAfter(ordered, query.get("after"));
    const data = ordered.slice(from, from + limit);
    return jsonResponse(200, {
      object: "list",
      data,
      first_id: data[0]?.id ?? null,
      last_id: data.at(-1)?.id ?? null,
      has_more: from + limit < ordered.length,
    });
  };
}

function parseLimit(text: string | undefined): number {
  if (text === undefined) return limitPreset;
  const limit = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= limitMax) return limit;
  throw new OpenaiRefusal(400, `limit: must be a whole number from 1 to ${limitMax}.`, { param: "limit" });
}

function parseOrder(text: string | undefined): "asc" | "desc" {
  if (text === undefined || text === "desc") return "desc";
  if (text === "asc") return "asc";
  throw new OpenaiRefusal(400, "order: must be asc or desc.", { param: "order" });
}

function positionAfter(items: readonly { id: string }[], after: string | undefined): number {
  if (after === undefined) return 0;
  const found = items.findIndex(({ id }) => id === after);
  if (found >= 0) return found + 1;
  throw new OpenaiRefusal(400, "after: must be the id of an item of this list.", { param: "after" });
}
