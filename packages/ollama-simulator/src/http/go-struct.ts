import { OllamaError } from "./ollama-error.ts";

/**
 * A decoded request body that answers like the Go struct it stands for: unknown fields are ignored, null
 * is as good as absent, and a wrong type is refused in Go's words.
 */
export class GoStruct {
  readonly #name: string;
  readonly #fields: Record<string, unknown>;

  constructor(name: string, value: unknown) {
    if (!isRecord(value)) throw unmarshalError(value, `Go value of type api.${name}`);
    this.#name = name;
    this.#fields = value;
  }

  raw(field: string): unknown {
    return this.#fields[field] ?? undefined;
  }

  string(field: string): string {
    const value = this.raw(field);
    if (value === undefined) return "";
    if (typeof value !== "string") throw this.#mismatch(field, value, "string");
    return value;
  }

  boolean(field: string): boolean | undefined {
    const value = this.raw(field);
    if (value !== undefined && typeof value !== "boolean") throw this.#mismatch(field, value, "bool");
    return value;
  }

  integer(field: string): number | undefined {
    const value = this.raw(field);
    if (value === undefined) return undefined;
    if (typeof value !== "number") throw this.#mismatch(field, value, "int");
    if (!Number.isSafeInteger(value)) throw this.#mismatch(field, value, "int", `number ${value}`);
    return value;
  }

  record(field: string): Record<string, unknown> | undefined {
    const value = this.raw(field);
    if (value !== undefined && !isRecord(value))
      throw this.#mismatch(field, value, "map[string]interface {}");
    return value;
  }

  list(field: string, goType: string): unknown[] | undefined {
    const value = this.raw(field);
    if (value !== undefined && !Array.isArray(value)) throw this.#mismatch(field, value, goType);
    return value;
  }

  #mismatch(field: string, value: unknown, goType: string, found?: string): OllamaError {
    return unmarshalError(value, `Go struct field ${this.#name}.${field} of type ${goType}`, found);
  }
}

function unmarshalError(value: unknown, target: string, found = jsonKind(value)): OllamaError {
  return new OllamaError(400, `json: cannot unmarshal ${found} into ${target}`);
}

function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "boolean") return "bool";
  return typeof value;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
