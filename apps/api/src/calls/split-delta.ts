import type { AnswerDelta } from "./continue-answer.ts";

/**
 * What an answer has grown by, in pieces of one kind: a job's log joins what came together, and no model's own stream
 * ever has thought and answer in one piece.
 */
export function splitDelta({ text, thinking, toolCalls }: AnswerDelta): AnswerDelta[] {
  const none: AnswerDelta = { text: "", thinking: "", toolCalls: [] };
  return [
    ...(thinking === "" ? [] : [{ ...none, thinking }]),
    ...(text === "" ? [] : [{ ...none, text }]),
    ...(toolCalls.length === 0 ? [] : [{ ...none, toolCalls }]),
  ];
}
