import { OllamaError } from "../http/ollama-error.ts";
import type { ModelCard } from "../models/model-card.ts";

/** The number of images; refuses what is not base64. */
export function countImages(images: unknown[] | undefined): number {
  for (const image of images ?? []) {
    if (typeof image !== "string")
      throw new OllamaError(
        400,
        "json: cannot unmarshal value into Go struct field .images of type api.ImageData",
      );
    const wrong = image.search(/[^A-Za-z0-9+/=\r\n]/);
    if (wrong >= 0) throw new OllamaError(400, `illegal base64 data at input byte ${wrong}`);
  }
  return images?.length ?? 0;
}

/** Only the runner knows that a model cannot see, and its answer is passed on as it is. */
export function requireSight(model: ModelCard, images: number): void {
  if (images === 0 || model.capabilities.has("vision")) return;
  const message =
    "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj";
  throw new OllamaError(500, JSON.stringify({ error: { code: 500, message, type: "server_error" } }));
}

// What an image costs in the context, as Ollama reckons when it truncates.
export const tokensPerImage = 768;
