import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { ServerResponse } from "node:http";
import type { ModelCall, WorkerLease } from "@forebay/queue-bullmq";
import { canonicalModelName } from "@forebay/queue-contracts";
import { z } from "zod";
import type { Caller } from "../../auth/caller.ts";
import type { ApiHandler } from "../../http/api-env.ts";
import { jsonResponse } from "../../http/json-response.ts";
import { readJsonBody } from "../../http/read-json-body.ts";
import { closedSignal } from "../jobs/closed-signal.ts";
import type { JobDeps } from "../jobs/job-deps.ts";
import { type ChangeEvent, followChanges } from "./follow-changes.ts";
import { OllamaRefusal } from "./ollama-refusal.ts";

type Host = WorkerLease["backends"][number];

/** Names the one host that is meant; without it every host is that the call concerns. */
const hostHeader = "forebay-backend";

const name = z.string().optional();
const bodySchema = z.looseObject({
  model: name,
  name,
  source: name,
  destination: name,
  stream: z.boolean().optional(),
});
type Body = z.output<typeof bodySchema>;

/**
 * `POST /api/pull`, `push`, `create`, `copy` and `DELETE /api/delete`: carried out by the workers of the hosts. It goes
 * on when the client has gone: the download of an hour is not lost with a laptop's lid.
 */
export function changeModels(deps: JobDeps, call: ModelCall): ApiHandler {
  const { space, models } = deps;
  return async (context) => {
    const { incoming, outgoing } = context.env;
    if (!deps.modelChanges) throw new OllamaRefusal(403, switchedOff(call));
    const caller = context.get("caller");
    if (caller.role !== "admin") {
      throw new OllamaRefusal(403, `${call} needs a key with the role admin, not ${caller.role}`);
    }
    const body = parseBody(call, await readJsonBody(incoming, { ...deps.body, anyType: true }));
    refuseOtherModels(caller, named(body));
    const hosts = chooseHosts(await models.read(), call, body, incoming.headers[hostHeader]?.toString());
    const closed = closedSignal(outgoing);
    const events = followChanges(space, hosts, { call, body }, closed);
    const streamed = body.stream !== false && call !== "copy" && call !== "delete";
    if (streamed) return stream(events, outgoing, closed);
    for await (const event of events) {
      if (event.kind === "failed") throw new OllamaRefusal(event.status, event.error);
    }
    if (closed.aborted) throw new OllamaRefusal(499, "request canceled");
    return call === "copy" || call === "delete"
      ? new Response(null, { status: 200 })
      : jsonResponse(200, { status: "success" });
  };
}

const switchedOff = (call: ModelCall): string =>
  `${call} is not available here: models are managed on the hosts, unless api and workers run with MODEL_CHANGES=true`;

function parseBody(call: ModelCall, value: unknown): Body {
  const { data } = bodySchema.safeParse(value);
  if (!data)
    throw new OllamaRefusal(400, "the body must be an object: names are texts, stream is true or false");
  if (call === "copy" && !(data.source && data.destination)) {
    throw new OllamaRefusal(400, "source and destination are required");
  }
  if (call !== "copy" && !(data.model || data.name)) throw new OllamaRefusal(400, "model is required");
  return data;
}

/** Every model that a call reads, writes or deletes. */
const named = ({ model, name: older, source, destination }: Body): string[] =>
  [model || older, source, destination].filter((each) => each !== undefined && each !== "") as string[];

function refuseOtherModels({ models }: Caller, wanted: readonly string[]): void {
  const allowed = models && new Set(models.map(canonicalModelName));
  if (allowed && !wanted.every((each) => allowed.has(canonicalModelName(each)))) {
    throw new OllamaRefusal(403, "this key is limited to other models");
  }
}

/** Names of the hosts that the call is for: to load a model all, for what is done with one those that have it. */
function chooseHosts(
  { leases }: { leases: readonly WorkerLease[] },
  call: ModelCall,
  body: Body,
  asked: string | undefined,
): string[] {
  const all = new Map(leases.flatMap(({ backends }) => backends).map((each) => [each.name, each]));
  const open = [...all.values()].filter((each) => each.takes_model_changes === true);
  if (open.length === 0) {
    throw new OllamaRefusal(
      503,
      "no worker lets models be changed: start the workers with MODEL_CHANGES=true",
    );
  }
  const meant = asked === undefined ? open : open.filter((each) => each.name === asked);
  if (meant.length === 0) {
    const known = open.map((each) => each.name).join(", ");
    throw new OllamaRefusal(404, `there is no such host; those whose models may be changed: ${known}`);
  }
  if (call === "pull" || call === "create") return meant.map((each) => each.name);
  const model = named(body)[0] ?? "";
  const having = meant.filter((each) => hasModel(each, model)).map((each) => each.name);
  if (having.length === 0) throw new OllamaRefusal(404, `model '${model}' not found`);
  return call === "push" ? having.slice(0, 1) : having;
}

const hasModel = ({ models }: Host, model: string): boolean =>
  models.some((each) => canonicalModelName(each.name) === canonicalModelName(model));

async function stream(
  events: AsyncIterable<ChangeEvent>,
  outgoing: ServerResponse,
  closed: AbortSignal,
): Promise<Response> {
  outgoing.writeHead(200, { "content-type": "application/x-ndjson", "x-accel-buffering": "no" });
  outgoing.flushHeaders();
  const write = (line: object): boolean => outgoing.write(`${JSON.stringify(line)}\n`);
  let failed = false;
  for await (const event of events) {
    failed ||= event.kind === "failed";
    write(event.kind === "failed" ? { error: event.error } : event.line);
  }
  if (!failed && !closed.aborted) write({ status: "success" });
  outgoing.end();
  return RESPONSE_ALREADY_SENT;
}
