// What a `format` demands of an answer: whether a schema can be checked at all, and whether an answer satisfies it.
export { type AnswerVerdict, checkAnswer } from "./check-answer.ts";
export { findSchemaFault, type SchemaFault } from "./find-schema-fault.ts";
