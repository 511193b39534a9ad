import { randomBytes } from "node:crypto";
import { nameSchema } from "@forebay/queue-contracts";
import { z } from "zod";

export const fileIdSchema = z.string().regex(/^file-[0-9a-f]{32}$/, { error: "is not the id of a file" });

export const createFileId = (): string => `file-${randomBytes(16).toString("hex")}`;

export const filePurposeSchema = z.enum(["batch", "batch_output"]);
export type FilePurpose = z.infer<typeof filePurposeSchema>;

/** What is known of a file and never changes: a field of the Redis hash `<prefix>:file:<id>`, as JSON. */
export const fileHeadSchema = z.object({
  v: z.literal(1),
  id: fileIdSchema,
  tenant: nameSchema,
  purpose: filePurposeSchema,
  filename: z.string(),
  /** Seconds since 1970, as all times of files and batches: that is how OpenAI tells them. */
  created_at: z.int(),
  expires_at: z.int(),
});
export type FileHead = z.infer<typeof fileHeadSchema>;

/** A blob that holds a piece of a file. A file that is still being written grows by pieces. */
export const filePartSchema = z.object({ key: z.string(), bytes: z.int().min(0) });
export type FilePart = z.infer<typeof filePartSchema>;

export type FileRecord = FileHead & {
  readonly bytes: number;
  /** Batches that are not over and read or write it. */ readonly users: number;
};
