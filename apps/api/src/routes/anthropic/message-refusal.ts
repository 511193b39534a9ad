import type { OpenaiRefusal } from "@forebay/openai-format";
import { jsonResponse } from "../../http/json-response.ts";
import { retryHeaders } from "../openai/openai-refusal.ts";

/** A refusal in Anthropic's shape. The headers are the same: their SDKs come from one maker. */
export function messageRefusalResponse(refusal: OpenaiRefusal, requestId: string): Response {
  const headers = { ...retryHeaders(refusal), "request-id": requestId };
  return jsonResponse(refusal.status, messageErrorBody(refusal, requestId), headers);
}

export function messageErrorBody({ status, message }: OpenaiRefusal, requestId: string): object {
  return { type: "error", error: { type: typeOf(status), message }, request_id: requestId };
}

function typeOf(status: number): string {
  if (status === 401) return "authentication_error";
  if (status === 403) return "permission_error";
  if (status === 404) return "not_found_error";
  if (status === 413) return "request_too_large";
  if (status === 429) return "rate_limit_error";
  if (status === 503) return "overloaded_error";
  return status < 500 ? "invalid_request_error" : "api_error";
}
