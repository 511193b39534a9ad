import { isRecord } from "./http/go-struct.ts";

export type LoggedRequest = {
  at: string;
  method: string;
  path: string;
  model: string;
  /** The prompt, the contents of the messages, or the inputs, joined by line breaks. */
  text: string;
  stream: boolean;
  options: Record<string, unknown>;
  /** Everything else as it arrived. */
  body: Record<string, unknown>;
  outcome: "running" | "completed" | "failed" | "aborted";
  /** Faults that struck it. */
  faults: string[];
};

/** The last requests that made a model work, so that a test can see what arrived at the "GPU". */
export class RequestLog {
  readonly #kept: number;
  #requests: LoggedRequest[] = [];

  constructor(kept: number) {
    this.#kept = kept;
  }

  add(request: LoggedRequest): void {
    this.#requests.push(request);
    if (this.#requests.length > this.#kept) this.#requests.shift();
  }

  clear(): void {
    this.#requests = [];
  }

  list(last = this.#kept): LoggedRequest[] {
    return this.#requests.slice(-last);
  }
}

export function createLoggedRequest(method: string, path: string, body: unknown): LoggedRequest {
  const fields = isRecord(body) ? body : {};
  return {
    at: new Date().toISOString(),
    method,
    path,
    model: typeof fields.model === "string" ? fields.model : "",
    text: requestText(fields),
    stream: typeof fields.stream === "boolean" ? fields.stream : !path.startsWith("/v1/"),
    options: isRecord(fields.options) ? fields.options : {},
    body: fields,
    outcome: "running",
    faults: [],
  };
}

function requestText({ prompt, input, messages }: Record<string, unknown>): string {
  const contents = Array.isArray(messages)
    ? messages.map((message) => (isRecord(message) ? message.content : ""))
    : [];
  return [prompt, input, ...contents]
    .flat()
    .filter((text) => typeof text === "string")
    .join("\n");
}
