import { OllamaError } from "../http/ollama-error.ts";

/** Whatever goes wrong while embedding is a 400, even what would go well a moment later. */
export class EmbeddingError extends OllamaError {
  constructor(message: string) {
    super(400, message);
  }
}

export const runnerGone = 'do embedding request: Post "http://127.0.0.1:39487/v1/embeddings": EOF';
