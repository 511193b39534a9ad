import {
  chatBodySchema,
  completionBodySchema,
  embeddingsBodySchema,
  OpenaiRefusal,
  present,
  toChatRequest,
  toOptions,
} from "@forebay/openai-format";
import type { BatchEndpoint, BatchRecord } from "@forebay/queue-bullmq";
import { canonicalModelName, type InferenceJob, inferenceJobSchema } from "@forebay/queue-contracts";
import type { z } from "zod";

/** What answering a line takes to know of its body. */
export type AnswerForm = { readonly model: string; readonly base64: boolean };
export type LineJob = { readonly job: InferenceJob; readonly form: AnswerForm };

type Call = {
  type: InferenceJob["type"];
  model: string;
  user: string | null | undefined;
  request: object;
  base64: boolean;
};

const calls: Record<BatchEndpoint, (body: unknown) => Call> = {
  "/v1/chat/completions": (given) => {
    const body = parse(chatBodySchema, given);
    refuseStream(body.stream);
    return { type: "chat", ...named(body), request: toChatRequest(body), base64: false };
  },
  "/v1/completions": (given) => {
    const body = parse(completionBodySchema, given);
    refuseStream(body.stream);
    const { prompt, suffix } = body;
    const request = present({ prompt, suffix, options: toOptions(body, body.max_tokens) });
    return { type: "generate", ...named(body), request, base64: false };
  },
  "/v1/embeddings": (given) => {
    const body = parse(embeddingsBodySchema, given);
    const request = present({ input: body.input, dimensions: body.dimensions });
    return { type: "embed", ...named(body), request, base64: body.encoding_format === "base64" };
  },
};

/** The job a line stands for. Throws OpenaiRefusal, as the endpoint would refuse the body. */
export function toLineJob(batch: BatchRecord, body: unknown, known: ReadonlySet<string>): LineJob {
  const { type, model, user, request, base64 } = calls[batch.endpoint](body);
  checkModel(model, batch.models, known);
  const parsed = inferenceJobSchema.safeParse({
    v: 1,
    type,
    tenant: batch.tenant,
    ...(user && { user }),
    lane: "batch",
    model,
    stream: false,
    start_by: batch.expires_at * 1_000,
    request,
  });
  if (!parsed.success) throw refusalOf(parsed.error);
  return { job: parsed.data, form: { model, base64 } };
}

function checkModel(model: string, allowed: readonly string[] | undefined, known: ReadonlySet<string>): void {
  const name = canonicalModelName(model);
  if (allowed && !allowed.some((each) => canonicalModelName(each) === name)) {
    throw new OpenaiRefusal(403, `This key may not use the model ${model}.`, {
      code: "forbidden",
      param: "model",
    });
  }
  if (known.has(name)) return;
  throw new OpenaiRefusal(404, `No backend has the model ${model}.`, {
    code: "model_not_found",
    param: "model",
  });
}

const named = ({ model, user }: { model: string; user?: string | null | undefined }) => ({ model, user });

function refuseStream(stream: boolean | null | undefined): void {
  if (!stream) return;
  throw new OpenaiRefusal(400, "stream: must be false: the answers of a batch are in its files.", {
    param: "stream",
  });
}

function parse<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw refusalOf(parsed.error);
}

function refusalOf(error: z.core.$ZodError): OpenaiRefusal {
  const [issue] = error.issues;
  const param = (issue?.path ?? []).map(String).join(".");
  const why = issue?.message.replace(/^Invalid input: /, "") ?? "is wrong";
  return new OpenaiRefusal(400, `${param || "The body"}: ${why}.`, { param: param || undefined });
}
