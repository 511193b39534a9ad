import { z } from "zod";
import type { Parameter } from "../openapi/operation.ts";

/** What calls of the foreign surfaces may say of their job, for the document. */
export const callHeaders: readonly Parameter[] = [
  {
    name: "Prefer",
    in: "header",
    description:
      "For a call that is not streamed. `respond-async`: 202 at once, with the job as `GET /jobs/{id}` shows it; `wait=N`: after N seconds (at most 60), unless it has ended. What was honoured comes back as `Preference-Applied`.",
    schema: z.string(),
  },
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
