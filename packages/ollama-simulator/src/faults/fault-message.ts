import type { Fault } from "./fault.ts";

const byStatus: Record<number, string> = {
  400: "invalid request",
  401: "unauthorized",
  404: "model not found",
  429: "too many requests",
  500: "model runner has unexpectedly stopped, this may be due to resource limitations or an internal error, check ollama server logs for details",
  503: "server busy, please try again.  maximum pending requests exceeded",
};

const byKind: Partial<Record<Fault["kind"], string>> = {
  in_band_error: "an error was encountered while running the model: unexpected EOF",
  garbage: '{"model":"broken","response":"cut in the mid',
  terminated: "llama-server process has terminated: signal: killed",
  runner_crash:
    "model runner has unexpectedly stopped, this may be due to resource limitations or an internal error, check ollama server logs for details",
  load_error: "llama-server process has terminated: exit status 1: error:cudaMalloc failed: out of memory",
};

export function faultMessage(fault: Fault): string {
  return fault.message ?? byKind[fault.kind] ?? byStatus[faultStatus(fault)] ?? "simulated fault";
}

export function faultStatus(fault: Fault): number {
  return fault.status ?? 500;
}
