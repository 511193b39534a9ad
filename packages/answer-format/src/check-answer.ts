import { type OutputUnit, type SchemaDraft, Validator } from "@cfworker/json-schema";
import { runWithin } from "./run-within.ts";

/** What an answer is in the eyes of its `format`. */
export type AnswerVerdict =
  | { kind: "valid" }
  | {
      kind: "mismatch";
      /** What is wrong where, for the model that wrote it: may quote the answer. */
      readonly problems: readonly string[];
      /** The keywords of the schema that are violated, or `JSON`; holds nothing of answer or schema. */
      readonly keywords: readonly string[];
    }
  /** The schema refers to itself without end, or is so made that checking takes too long. */
  | { kind: "undecidable" };

/** A check takes well under a millisecond; one that takes this long was made to. */
const checkMsMax = 200;
const problemsMax = 10;
const problemCharsMax = 300;

/** @param format `"json"`, or a JSON Schema in which `findSchemaFault` finds nothing */
export function checkAnswer(format: unknown, text: string): AnswerVerdict {
  const instance = parse(text);
  if (!instance) {
    return { kind: "mismatch", problems: ["The answer is not JSON, or not only JSON."], keywords: ["JSON"] };
  }
  if (format === "json") return { kind: "valid" };
  const errors = runWithin(checkMsMax, () => validate(format as object, instance.value));
  if (errors === undefined) return { kind: "undecidable" };
  return errors.length === 0 ? { kind: "valid" } : describe(errors);
}

function parse(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

// An interpreter: nothing is compiled, so there is nothing to keep either. It leaves marks in the schema.
function validate(schema: object, instance: unknown): OutputUnit[] | undefined {
  try {
    const { valid, errors } = new Validator(structuredClone(schema), draftOf(schema), false).validate(
      instance,
    );
    return valid ? [] : errors;
  } catch {
    // It overflowed the stack, or found in the schema what `findSchemaFault` did not.
    return undefined;
  }
}

function draftOf(schema: object): SchemaDraft {
  const named = "$schema" in schema && typeof schema.$schema === "string" ? schema.$schema : "";
  const [, draft] = /draft-0?(4|6|7)\b/.exec(named) ?? /(2019-09)/.exec(named) ?? [];
  if (draft === "4") return "4";
  if (draft === "6" || draft === "7") return "7";
  return draft === "2019-09" ? "2019-09" : "2020-12";
}

function describe(errors: readonly OutputUnit[]): AnswerVerdict {
  // A keyword that only passes on what is wrong below it says nothing by itself.
  const telling = errors.filter(({ error }) => !/^(Property "|Items did not|A subschema had)/.test(error));
  const shown = (telling.length > 0 ? telling : errors).slice(0, problemsMax);
  return {
    kind: "mismatch",
    problems: shown.map(({ instanceLocation, error }) =>
      `At ${instanceLocation}: ${error}`.slice(0, problemCharsMax),
    ),
    keywords: [...new Set(shown.map(({ keyword }) => keyword))],
  };
}
