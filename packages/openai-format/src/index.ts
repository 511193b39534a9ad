// Pure translation between OpenAI's bodies and jobs; whoever serves or stores such bodies shares it.
export { type AnswerShape, createChatShape, createTextShape } from "./completion-answer.ts";
export { embeddingsAnswer } from "./embeddings-answer.ts";
export { chatBodySchema, completionBodySchema, embeddingsBodySchema } from "./openai-body.ts";
export { errorBody, OpenaiRefusal, refusalOfFailure } from "./openai-refusal.ts";
export { knownTypes } from "./known-types.ts";
export { parseBody } from "./parse-body.ts";
export { wholeResponse } from "./response-answer.ts";
export {
  parseResponseBody,
  parseResponseItem,
  type ResponseBody,
  responseBodySchema,
} from "./response-body.ts";
export { createResponseFold, type ResponseEvent, type ResponseFold } from "./response-events.ts";
export { findItem, inputItems, jobIdOfItem } from "./response-items.ts";
export { asResponseJob, jobIdOfResponse, responseIdOf, type ResponseJob } from "./response-job.ts";
export { previousNotFound, requireAnswered, toResponseJob } from "./response-request.ts";
export { laneOfTier, tierOfLane } from "./service-tier.ts";
export { present, toChatRequest, toOptions } from "./to-ollama-request.ts";
