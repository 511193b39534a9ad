import { z } from "zod";
import type { Operation, Parameter } from "../../openapi/operation.ts";

const host: Parameter = {
  name: "Forebay-Backend",
  in: "header",
  description: "The one host that is meant, by its name in `GET /capacity`.",
  schema: z.string(),
};

const refusals = {
  schema: z.object({ error: z.string() }).meta({ id: "OllamaError" }),
  statuses: {
    400: "The body is wrong, or a host says so.",
    401: "A valid API key is needed.",
    403: "The key has not the role admin or is limited to other models, or `MODEL_CHANGES` is not `true`.",
    404: "No host whose models may be changed has the model or that name.",
    500: "A host could not do it; the text is its own.",
    502: "A host could not be reached, or broke off.",
    503: "No worker runs with `MODEL_CHANGES=true`.",
    504: "A host said nothing for `WORKER_FIRST_BYTE_TIMEOUT_S`.",
  },
};

const inWords =
  "Carried out by the workers of the hosts, one change after the other on each; it goes on when the client has gone.";
const progress = `${inWords} With several hosts each line has the \`backend\` it is from.`;
const said = z.looseObject({ status: z.string() });
const answers = {
  200: {
    description:
      "With `stream` (the default) lines as `application/x-ndjson`; the last one says `success`, or `error`.",
    schema: said,
  },
};
const target = { model: z.string(), stream: z.boolean().default(true) };

type Call = Pick<Operation, "path" | "id" | "summary" | "description"> & {
  readonly body: z.ZodObject;
  readonly example: Readonly<Record<string, unknown>>;
};

function change({ body, example, ...call }: Call, more: Partial<Operation> = {}): Operation {
  const given = { schema: body, examples: { model: example } };
  const common = { method: "post", tag: "ollama", parameters: [host], problems: [], refusals } as const;
  return { ...common, ...call, body: given, answers, ...more };
}

const nothing = { answers: { 200: { description: "Done; there is no body." } } };

/** Calls that change which models the hosts have. */
export const modelChangeOperations: readonly Operation[] = [
  change({
    path: "/api/pull",
    id: "ollamaPull",
    summary: "Download a model onto the hosts",
    description: `${progress} On every host, unless one is named.`,
    body: z.object(target),
    example: { model: "qwen3:8b" },
  }),
  change({
    path: "/api/push",
    id: "ollamaPush",
    summary: "Upload a model to a registry",
    description: `${progress} From the first host that has it.`,
    body: z.object(target),
    example: { model: "acme/support:1b" },
  }),
  change({
    path: "/api/create",
    id: "ollamaCreate",
    summary: "Make a model of another one",
    description: `${progress} On every host, unless one is named. Files cannot be sent: \`/api/blobs\` is refused.`,
    body: z.object({ ...target, from: z.string() }),
    example: { model: "support", from: "qwen3:8b", system: "You answer for Acme." },
  }),
  change(
    {
      path: "/api/copy",
      id: "ollamaCopy",
      summary: "Give a model another name as well",
      description: `${inWords} On the hosts that have it.`,
      body: z.object({ source: z.string(), destination: z.string() }),
      example: { source: "qwen3:8b", destination: "chat" },
    },
    nothing,
  ),
  change(
    {
      path: "/api/delete",
      id: "ollamaDelete",
      summary: "Delete a model from the hosts",
      description: `${inWords} On the hosts that have it. Its waiting jobs keep waiting for a host that has the model.`,
      body: z.object({ model: z.string() }),
      example: { model: "qwen3:8b" },
    },
    { method: "delete", ...nothing },
  ),
];
