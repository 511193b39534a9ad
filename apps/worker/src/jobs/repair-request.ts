import type { AnswerVerdict } from "@forebay/answer-format";
import type { InferenceJob } from "@forebay/queue-contracts";
import { varyRequest } from "./vary-request.ts";

/** A longer answer is not shown to the model again: it would drive the question out of its context. */
const quotedCharsMax = 16_000;

/**
 * The job as it is asked again after an answer that does not satisfy its `format`: the model is shown what it wrote
 * and told what is wrong with it. Where there is no place for that (a raw prompt, a gap to fill) only another seed
 * leads it elsewhere.
 */
export function repairRequest(
  job: InferenceJob,
  text: string,
  verdict: AnswerVerdict & { kind: "mismatch" },
): InferenceJob {
  if (job.type === "embed") return job;
  const answer = text.length <= quotedCharsMax ? text : "";
  const said = sayWhatIsWrong(job.request.format, verdict.problems);
  if (job.type === "chat") {
    const { messages } = job.request;
    const turns = [
      ...messages,
      ...(answer === "" ? [] : [{ role: "assistant" as const, content: answer }]),
      { role: "user" as const, content: said },
    ];
    return { ...job, request: { ...job.request, messages: turns } };
  }
  const { raw, suffix, prompt } = job.request;
  if (raw || suffix !== undefined) return varyRequest(job, [mismatched]);
  const quoted = answer === "" ? "" : `An answer to this was:\n${answer}\n\n`;
  return { ...job, request: { ...job.request, prompt: `${prompt}\n\n${quoted}${said}` } };
}

const mismatched = { at: "", worker: "", code: "schema_mismatch" };

function sayWhatIsWrong(format: unknown, problems: readonly string[]): string {
  const wanted = format === "json" ? "JSON" : "JSON that satisfies the JSON Schema";
  return [
    `The answer is not ${wanted}:`,
    ...problems.map((problem) => `- ${problem}`),
    ...(format === "json" ? [] : [`The schema: ${JSON.stringify(format)}`]),
    `Write the whole answer again, corrected: only ${format === "json" ? "JSON" : "the JSON"}, nothing else.`,
  ].join("\n");
}
