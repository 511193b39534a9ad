import { z } from "zod";
import { type ProblemCode, problemCodes } from "./problem-codes.ts";

const codes = Object.keys(problemCodes) as [ProblemCode, ...ProblemCode[]];

/** What every refusal looks like (RFC 9457, `application/problem+json`). */
export const problemSchema = z
  .looseObject({
    type: z.string().describe("`urn:forebay:problem:<code>`"),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe("What is wrong with this request, for a person."),
    code: z.enum(codes),
    job_id: z.string().optional(),
    errors: z
      .array(z.object({ path: z.string().describe("`messages[0].role`, or `?limit`"), message: z.string() }))
      .optional(),
    request_id: z.string().describe("Also in the header x-request-id, and in the log."),
  })
  .meta({ id: "Problem" });
