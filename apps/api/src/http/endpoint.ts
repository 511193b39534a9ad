import type { IncomingMessage, ServerResponse } from "node:http";
import type { Caller } from "../auth/caller.ts";
import type { ApiHandler } from "./api-env.ts";

/** What an endpoint needs to know of a request, whoever took it in. */
export type Call = {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** Ends with path and query, as they were sent. */ readonly url: string;
  /** What stands for `:id` in the path; "" where there is none. */ readonly id: string;
  readonly caller: Caller;
};

/** An answer in plain values. */
export type Reply = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
};

/** An operation that does without Request and Response, so that it can be served with and without Hono. */
export type Endpoint = (call: Call) => Promise<Reply>;

export function jsonReply(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return {
    status,
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  };
}

export function asHandler(endpoint: Endpoint): ApiHandler {
  return async (context) => {
    const { incoming, outgoing } = context.env;
    const caller = context.get("caller");
    const id = context.req.param("id") ?? "";
    const { status, headers, body } = await endpoint({
      incoming,
      outgoing,
      url: context.req.url,
      id,
      caller,
    });
    return new Response(body, { status, headers });
  };
}
