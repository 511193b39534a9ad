import type { ApiHandler } from "../../../http/api-env.ts";
import { jsonResponse } from "../../../http/json-response.ts";
import type { FileDeps } from "../files/file-deps.ts";
import { answerPage, readPageQuery } from "../files/read-page-query.ts";
import { batchView } from "./batch-view.ts";
import { findBatch } from "./find-batch.ts";

/** `GET /v1/batches` */
export function listBatches({ batches }: FileDeps): ApiHandler {
  return async (context) => {
    const query = readPageQuery(context.req.url, { preset: 20, max: 100 });
    return jsonResponse(200, await answerPage(batches.list(context.get("caller").tenant, query), batchView));
  };
}

/** `GET /v1/batches/{id}` */
export function getBatch({ batches }: FileDeps): ApiHandler {
  return async (context) =>
    jsonResponse(
      200,
      batchView(await findBatch(batches, context.get("caller"), context.req.param("id") ?? "")),
    );
}
