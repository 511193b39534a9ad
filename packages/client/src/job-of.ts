import { ForebayError } from "./errors.ts";
import type { JobView } from "./job-view.ts";

/** An answer's body as a job. Its fields are the server's promise; this only tells a Forebay from something else. */
export function jobOf(body: unknown): JobView {
  if (typeof body === "object" && body !== null && "job_id" in body) return body as JobView;
  const detail = "The answer is not a job: is this the address of a Forebay API?";
  throw new ForebayError(detail, { status: 200, code: "unexpected_answer" });
}
