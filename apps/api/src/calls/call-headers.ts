import { z } from "zod";
import type { Parameter } from "../openapi/operation.ts";

/** The headers of `parseCallHeaders`, for the document. */
export const callHeaders: readonly Parameter[] = [
  {
    name: "Idempotency-Key",
    in: "header",
    description:
      "1 to 255 printable characters, bare or quoted, remembered for 24 h within the tenant. The same call with the same key is answered from the job it made first, and says `Idempotency-Replayed: true`.",
    schema: z.string().min(1).max(257),
  },
  {
    name: "Forebay-On-Disconnect",
    in: "header",
    description:
      "What becomes of the job when the client goes: `cancel`, it is cancelled, which is the default; `detach`, it goes on, the default with an Idempotency-Key.",
    schema: z.enum(["cancel", "detach"]),
  },
];
