import { OpenaiRefusal } from "@forebay/openai-format";
import { createFileBlobKey, createFileId, type FileHead } from "@forebay/queue-bullmq";
import { backoffS } from "../../../admission/retry-after.ts";
import type { ApiHandler } from "../../../http/api-env.ts";
import { jsonResponse } from "../../../http/json-response.ts";
import type { FileDeps } from "./file-deps.ts";
import { fileView } from "./file-view.ts";
import { receiveUpload, type Upload } from "./receive-upload.ts";

/** `POST /v1/files` */
export function createFile(deps: FileDeps): ApiHandler {
  return async (context) => {
    const { tenant } = context.get("caller");
    const { blobs, files, uploads } = deps;
    const id = createFileId();
    const key = await createFileBlobKey(deps.space, id);
    const upload = await receiveUpload(context.env.incoming, blobs, key, uploads.bytesMax).catch(
      (error: unknown) => {
        if (error instanceof OpenaiRefusal) throw error;
        deps.events.blobStoreFailed(error);
        const message = "Files cannot be stored now; nothing of this one was kept.";
        throw new OpenaiRefusal(503, message, { code: "storage_unavailable", retryAfterS: backoffS(10) });
      },
    );
    try {
      const head = headOf(upload, id, tenant, uploads.retentionS);
      await files.add(head, [{ key, bytes: upload.bytes }]);
      deps.events.fileStored(head, upload.bytes, context.get("caller"));
      return jsonResponse(200, fileView({ ...head, bytes: upload.bytes, users: 0 }));
    } catch (error) {
      // A write that timed out may have been done: then the record leads to nothing, and is erased when it expires.
      await blobs.delete(key);
      throw error;
    }
  };
}

function headOf({ filename, fields }: Upload, id: string, tenant: string, retentionS: number): FileHead {
  const purpose = fields.get("purpose");
  if (purpose !== "batch") {
    const message = `purpose: must be "batch"${purpose === undefined ? "" : "; files are kept for batches alone"}.`;
    throw new OpenaiRefusal(400, message, { param: "purpose" });
  }
  const created_at = Math.floor(Date.now() / 1_000);
  const expires_at = created_at + (parseExpiry(fields) ?? retentionS);
  return { v: 1, id, tenant, purpose, filename, created_at, expires_at };
}

function parseExpiry(fields: ReadonlyMap<string, string>): number | undefined {
  const anchor = fields.get("expires_after[anchor]");
  const text = fields.get("expires_after[seconds]");
  if (anchor === undefined && text === undefined) return undefined;
  const seconds = Number(text);
  if (anchor === "created_at" && Number.isInteger(seconds) && seconds >= 3_600 && seconds <= 2_592_000) {
    return seconds;
  }
  const message = "expires_after: must have the anchor created_at and 3600 to 2592000 seconds.";
  throw new OpenaiRefusal(400, message, { param: "expires_after" });
}
