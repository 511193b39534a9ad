import { pipeline } from "node:stream/promises";
import { readParts } from "@forebay/blob-store";
import { OpenaiRefusal } from "@forebay/openai-format";
import { filePurposeSchema } from "@forebay/queue-bullmq";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { ApiContext, ApiHandler } from "../../../http/api-env.ts";
import { jsonResponse } from "../../../http/json-response.ts";
import type { FileDeps } from "./file-deps.ts";
import { fileView } from "./file-view.ts";
import { findFile } from "./find-file.ts";
import { answerPage, readPageQuery } from "./read-page-query.ts";

const idOf = (context: ApiContext): string => context.req.param("id") ?? "";

/** `GET /v1/files` */
export function listFiles({ files }: FileDeps): ApiHandler {
  return async (context) => {
    const query = readPageQuery(context.req.url, { preset: 100, max: 10_000, more: ["purpose"] });
    if (query.purpose !== undefined && !filePurposeSchema.safeParse(query.purpose).success) {
      throw new OpenaiRefusal(400, 'purpose: must be "batch" or "batch_output".', { param: "purpose" });
    }
    return jsonResponse(200, await answerPage(files.list(context.get("caller").tenant, query), fileView));
  };
}

/** `GET /v1/files/{id}` */
export function getFile({ files }: FileDeps): ApiHandler {
  return async (context) =>
    jsonResponse(200, fileView(await findFile(files, context.get("caller"), idOf(context))));
}

/** `GET /v1/files/{id}/content`: all there is of it now, also while a batch is writing it. */
export function getFileContent({ files, blobs }: FileDeps): ApiHandler {
  return async (context) => {
    const { id } = await findFile(files, context.get("caller"), idOf(context));
    const parts = await files.readParts(id);
    const content = readParts(blobs, parts);
    // Before the first byte a blob that is not there can still be told.
    const first = await content.next();
    const { outgoing } = context.env;
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
    outgoing.writeHead(200, {
      "content-type": "application/octet-stream",
      "content-length": bytes,
      "cache-control": "no-store",
    });
    const whole = async function* (): AsyncGenerator<Buffer> {
      if (first.done) return;
      yield first.value;
      yield* content;
    };
    // Who reads no further has gone, or sees by the length that something is missing.
    await pipeline(whole(), outgoing).catch(() => outgoing.destroy());
    return RESPONSE_ALREADY_SENT;
  };
}

/** `DELETE /v1/files/{id}` */
export function deleteFile({ files, blobs, events }: FileDeps): ApiHandler {
  return async (context) => {
    const { id, tenant } = await findFile(files, context.get("caller"), idOf(context));
    const parts = await files.remove(id, tenant);
    if (parts === "in_use") {
      const message = "A batch that is not over uses this file; cancel it or wait for it.";
      throw new OpenaiRefusal(409, message, { code: "file_in_use" });
    }
    if (Array.isArray(parts)) for (const { key } of parts) await blobs.delete(key);
    events.fileDeleted(id, context.get("caller"));
    return jsonResponse(200, { id, object: "file", deleted: true });
  };
}
