import { OpenaiRefusal, wholeResponse } from "@forebay/openai-format";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { ApiHandler } from "../../../http/api-env.ts";
import { jsonResponse } from "../../../http/json-response.ts";
import type { JobDeps } from "../../jobs/job-deps.ts";
import { findResponse } from "./find-response.ts";
import { readResponseQuery } from "./response-query.ts";
import { streamResponse } from "./stream-response.ts";

/** `GET /v1/responses/{id}`: as it stands, or its events. */
export function getResponse(deps: JobDeps): ApiHandler {
  return async (context) => {
    const query = readResponseQuery(context.req.url, ["stream", "starting_after", "include_obfuscation"]);
    const stream = parseStream(query.get("stream"));
    const after = parseStartingAfter(query.get("starting_after"), stream);
    const found = await findResponse(deps, context.get("caller"), context.req.param("id") ?? "");
    if (!stream) return jsonResponse(200, wholeResponse(found.response), { "cache-control": "no-store" });
    await streamResponse(deps, context.env.outgoing, found, after);
    return RESPONSE_ALREADY_SENT;
  };
}

function parseStream(text: string | undefined): boolean {
  if (text === undefined || text === "false") return false;
  if (text === "true") return true;
  throw new OpenaiRefusal(400, "stream: must be true or false.", { param: "stream" });
}

/** -1: from the beginning. */
function parseStartingAfter(text: string | undefined, stream: boolean): number {
  const param = "starting_after";
  if (text === undefined) return -1;
  if (!stream) throw new OpenaiRefusal(400, `${param}: is for stream=true alone.`, { param });
  // No number an event may have has more digits.
  if (/^\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw new OpenaiRefusal(400, `${param}: must be the sequence_number of an event, 0 or above.`, { param });
}
