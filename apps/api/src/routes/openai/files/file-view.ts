import type { FileRecord } from "@forebay/queue-bullmq";
import { z } from "zod";

export const fileViewSchema = z
  .object({
    id: z.string(),
    object: z.literal("file"),
    bytes: z.int(),
    created_at: z.int(),
    expires_at: z.int().describe("When it is erased, unless a batch uses it then."),
    filename: z.string(),
    purpose: z.enum(["batch", "batch_output"]),
    status: z.literal("processed"),
    status_details: z.null(),
  })
  .meta({ id: "OpenaiFile" });

export function fileView(file: FileRecord): z.infer<typeof fileViewSchema> {
  const { id, bytes, created_at, expires_at, filename, purpose } = file;
  const state = { status: "processed", status_details: null } as const;
  return { id, object: "file", bytes, created_at, expires_at, filename, purpose, ...state };
}
