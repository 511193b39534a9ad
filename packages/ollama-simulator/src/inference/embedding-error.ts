import { OllamaError } from "../http/ollama-error.ts";

/** Whatever goes wrong while embedding is a 400, even what would go well a moment later. */
export class EmbeddingError extends OllamaError {
  constructor(message: string) {
    super(400, message);
  }
}
