import {
  chatBodySchema,
  completionBodySchema,
  embeddingsBodySchema,
  OpenaiRefusal,
  parseBody,
  parseResponseBody,
  present,
  toChatRequest,
  toOptions,
  toResponseJob,
} from "@forebay/openai-format";
import type { BatchEndpoint, BatchRecord } from "@forebay/queue-bullmq";
import { canonicalModelName, type InferenceJob, inferenceJobSchema } from "@forebay/queue-contracts";

/** What answering a line takes to know of its body. */
export type AnswerForm = { readonly model: string; readonly base64: boolean };
export type LineJob = { readonly job: InferenceJob; readonly form: AnswerForm };

type Call = {
  type: InferenceJob["type"];
  model: string;
  user: string | null | undefined;
  /** What else is in its job, beside the request. */ more?: object;
  request: object;
  base64: boolean;
};

const calls: Record<BatchEndpoint, (body: unknown) => Call> = {
  "/v1/chat/completions": (given) => {
    const body = parseBody(chatBodySchema, given);
    refuseStream(body.stream);
    return { type: "chat", ...named(body), request: toChatRequest(body), base64: false };
  },
  "/v1/completions": (given) => {
    const body = parseBody(completionBodySchema, given);
    refuseStream(body.stream);
    const { prompt, suffix } = body;
    const request = present({ prompt, suffix, options: toOptions(body, body.max_tokens) });
    return { type: "generate", ...named(body), request, base64: false };
  },
  "/v1/embeddings": (given) => {
    const body = parseBody(embeddingsBodySchema, given);
    const request = present({ input: body.input, dimensions: body.dimensions });
    return { type: "embed", ...named(body), request, base64: body.encoding_format === "base64" };
  },
  "/v1/responses": (given) => {
    const body = parseResponseBody(given);
    refuseStream(body.stream);
    if (body.background)
      throw refuse("background: must be false: a batch does not wait for answers.", "background");
    if (body.previous_response_id) {
      const why = "is not offered in a batch: send what was said before as input.";
      throw refuse(`previous_response_id: ${why}`, "previous_response_id");
    }
    // The answer is in the output file, and its job removed: there is nothing to come back for.
    const { request, ...more } = toResponseJob({ ...body, store: false }, undefined);
    return { type: "chat", ...named(body), request, more, base64: false };
  },
};

/** The job a line stands for. Throws OpenaiRefusal, as the endpoint would refuse the body. */
export function toLineJob(batch: BatchRecord, body: unknown, known: ReadonlySet<string>): LineJob {
  const { type, model, user, request, more, base64 } = calls[batch.endpoint](body);
  checkModel(model, batch.models, known);
  const job = parseBody(inferenceJobSchema, {
    v: 1,
    type,
    tenant: batch.tenant,
    ...(user && { user }),
    lane: "batch",
    model,
    stream: false,
    start_by: batch.expires_at * 1_000,
    ...more,
    request,
  });
  return { job, form: { model, base64 } };
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
  throw refuse("stream: must be false: the answers of a batch are in its files.", "stream");
}

const refuse = (message: string, param: string): OpenaiRefusal => new OpenaiRefusal(400, message, { param });
