// Pure translation between OpenAI's bodies and jobs; whoever serves or stores such bodies shares it.
export { type AnswerShape, createChatShape, createTextShape } from "./completion-answer.ts";
export { embeddingsAnswer } from "./embeddings-answer.ts";
export { chatBodySchema, completionBodySchema, embeddingsBodySchema } from "./openai-body.ts";
export { errorBody, OpenaiRefusal, refusalOfFailure } from "./openai-refusal.ts";
export { present, toChatRequest, toOptions } from "./to-ollama-request.ts";
