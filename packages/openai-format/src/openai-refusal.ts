import type { Failure } from "@forebay/queue-contracts";

type RefusalExtras = {
  param?: string | undefined;
  code?: string | undefined;
  retryAfterS?: number | undefined;
  /** Sent as they are. */
  headers?: Readonly<Record<string, string>> | undefined;
};

/** A request refused in OpenAI's way. */
export class OpenaiRefusal extends Error {
  readonly status: number;
  readonly extras: RefusalExtras;
  constructor(status: number, message: string, extras: RefusalExtras = {}) {
    super(message);
    this.status = status;
    this.extras = extras;
  }
}

export function errorBody(refusal: OpenaiRefusal): object {
  const { status, message } = refusal;
  const { param = null, code = null } = refusal.extras;
  return { error: { message, type: typeOf(status), param, code } };
}

function typeOf(status: number): string {
  if (status === 401) return "authentication_error";
  if (status === 403) return "permission_error";
  if (status === 404) return "not_found_error";
  if (status === 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "api_error";
}

/** How a job ended without a result, as OpenAI would say it. */
export function refusalOfFailure({ code, message }: Failure): OpenaiRefusal {
  switch (code) {
    case "model_not_found":
      return new OpenaiRefusal(404, message, { code, param: "model" });
    case "context_too_long":
      return new OpenaiRefusal(400, message, { code: "context_length_exceeded", param: "messages" });
    case "invalid_request":
    case "invalid_payload":
    case "unsupported_capability":
      return new OpenaiRefusal(400, message, { code });
    case "cancelled":
      return new OpenaiRefusal(499, message, { code });
    case "backend_overloaded":
    case "backend_unavailable":
    case "expired":
      return new OpenaiRefusal(503, message, { code });
    default:
      return new OpenaiRefusal(500, message, { code });
  }
}
