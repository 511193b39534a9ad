import { OllamaError } from "../http/ollama-error.ts";
import type { InferenceJob } from "./inference-job.ts";

/** How many tokens of the prompt reach the model: what is too long is cut silently, unless that was ruled out. */
export function fitPrompt({ promptTokens, options, truncate }: InferenceJob, numCtx: number): number {
  const limit = numCtx - 1;
  if (promptTokens <= limit) return promptTokens;
  if (!truncate) throw exceedContext(promptTokens, numCtx);
  if (!options.runner.shift) throw new OllamaError(400, tooLong);
  const keep = Math.max(0, Math.min(options.numKeep, limit));
  return numCtx - Math.max(Math.floor((numCtx - keep) / 2), 1);
}

const tooLong =
  "the prompt is longer than the context length currently available to the model; shorten the prompt, " +
  "adjust the context length in settings, or use a model with a longer context length";

// What llama-server answers reaches the caller as a string inside Ollama's own error.
function exceedContext(promptTokens: number, numCtx: number): OllamaError {
  const message = `request (${promptTokens} tokens) exceeds the available context size (${numCtx} tokens), try increasing it`;
  const error = {
    code: 400,
    message,
    type: "exceed_context_size_error",
    n_prompt_tokens: promptTokens,
    n_ctx: numCtx,
  };
  return new OllamaError(400, JSON.stringify({ error }));
}
