import { OpenaiRefusal } from "@forebay/openai-format";
import { fileIdSchema, type FileRecord, type FileStore } from "@forebay/queue-bullmq";
import type { Caller } from "../../../auth/caller.ts";

/** A file of the caller's tenant. Throws OpenaiRefusal: somebody else's and none at all look the same. */
export async function findFile(
  files: FileStore,
  caller: Caller,
  id: string,
  param?: string,
): Promise<FileRecord> {
  const file = fileIdSchema.safeParse(id).success ? await files.find(id) : undefined;
  if (file?.tenant === caller.tenant) return file;
  throw new OpenaiRefusal(404, "There is no such file: it never was, was deleted, or has expired.", {
    code: "file_not_found",
    param,
  });
}
