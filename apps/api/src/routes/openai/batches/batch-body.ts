import { batchEndpointSchema } from "@forebay/queue-bullmq";
import { metadataSchema } from "@forebay/queue-contracts";
import { z } from "zod";

export const batchBodySchema = z.object({
  input_file_id: z.string().describe("A file with the purpose `batch`: a request on each line."),
  endpoint: batchEndpointSchema.describe("Where all its requests would go."),
  completion_window: z
    .literal("24h", { error: 'must be "24h"' })
    .describe("What is not done by then is written to the error file as `batch_expired`."),
  metadata: metadataSchema.nullish(),
  output_expires_after: z
    .object({
      anchor: z.literal("created_at"),
      seconds: z.int().min(3_600).max(2_592_000),
    })
    .nullish()
    .describe("When its output and error files are erased, counted from the making of the batch."),
});
