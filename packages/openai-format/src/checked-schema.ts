import { findSchemaFault } from "@forebay/answer-format";
import { OpenaiRefusal } from "./openai-refusal.ts";

/** A schema answers can be checked against. Throws OpenaiRefusal with the place of what is wrong below `at`. */
export function checkedSchema(schema: object, at: string): object {
  const fault = findSchemaFault(schema);
  if (!fault) return schema;
  const param = fault.path === "" ? at : `${at}.${fault.path}`;
  throw new OpenaiRefusal(400, `${param} ${fault.message}.`, { param });
}
