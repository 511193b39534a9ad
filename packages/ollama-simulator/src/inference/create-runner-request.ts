import { faultMessage } from "../faults/fault-message.ts";
import type { StruckFaults } from "../faults/fault-book.ts";
import type { LoadFault, RunnerRequest } from "../scheduler/runner-request.ts";
import type { InferenceJob } from "./inference-job.ts";

// Ollama gives multimodal models no less than this.
const visionContextMin = 2048;

export function createRunnerRequest(
  job: Pick<InferenceJob, "model" | "options" | "keepAliveMs" | "faults">,
): RunnerRequest {
  const { numCtx } = job.options.runner;
  const small = numCtx !== undefined && numCtx < visionContextMin && job.model.capabilities.has("vision");
  return {
    model: job.model,
    options: small ? { ...job.options.runner, numCtx: visionContextMin } : job.options.runner,
    keepAliveMs: job.keepAliveMs,
    loadFault: chooseLoadFault(job.faults),
  };
}

function chooseLoadFault(faults: StruckFaults): LoadFault | undefined {
  if (faults.find("load_stall") !== undefined) return { kind: "stall" };
  const fault = faults.find("load_error");
  return fault === undefined ? undefined : { kind: "error", error: new Error(faultMessage(fault)) };
}
