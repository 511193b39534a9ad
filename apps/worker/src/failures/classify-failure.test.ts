import { describe, expect, test } from "vitest";
import type { CallFailure } from "../ollama/call-failure.ts";
import type { Classification } from "./classification.ts";
import { classifyFailure } from "./classify-failure.ts";

const json = (error: unknown): string => JSON.stringify({ error });
const status = (code: number, body: string): CallFailure => ({ kind: "status", status: code, body });
const said = (code: number, text: string): CallFailure => status(code, json(text));
const socket = (code: string): CallFailure => ({ kind: "socket", code });
const inBand = (message: string): CallFailure => ({ kind: "in_band", message });
/** What llama-server says, as Ollama passes it on since 0.30: JSON within the text. */
const passedOn = (code: number, error: { message: string; type?: string }): CallFailure =>
  said(code, JSON.stringify({ error: { code, ...error } }));

type Expected = Partial<Omit<Classification, "message">>;

const discard = (code: Classification["code"]): Expected => ({
  code,
  disposition: "discard",
  breaker: "none",
});
const down: Expected = {
  code: "backend_unavailable",
  disposition: "free",
  delayMs: [1_000, 30_000],
  breaker: "down",
};
const reset: Expected = {
  code: "backend_reset",
  disposition: "free",
  freeMax: 5,
  delayMs: [2_000, 10_000],
  breaker: "reset",
};
const full: Expected = {
  code: "backend_overloaded",
  disposition: "free",
  delayMs: [1_000, 15_000],
  breaker: "none",
  throttle: true,
};
const cloudFull: Expected = {
  code: "backend_overloaded",
  disposition: "retry",
  delayMs: [5_000, 60_000],
  breaker: "model",
};
const stalled: Expected = {
  code: "model_load_stalled",
  disposition: "retry",
  retriesMax: 1,
  delayMs: [30_000, 60_000],
  breaker: "model",
};
const outOfMemory: Expected = {
  code: "out_of_memory",
  disposition: "retry",
  retriesMax: 2,
  delayMs: [60_000, 90_000],
  breaker: "model",
};
const crash: Expected = {
  code: "runner_crashed",
  disposition: "retry",
  retriesMax: 2,
  delayMs: [5_000, 7_500],
  breaker: "crash",
};
const onceMore = (code: Classification["code"]): Expected => ({
  code,
  disposition: "retry",
  retriesMax: 1,
  breaker: "none",
});

// One row per line of the failure table; the numbers are the table's.
const rows: readonly (readonly [string, CallFailure, Expected])[] = [
  ["1: Ollama is down, nobody listens", socket("ECONNREFUSED"), down],
  ["1: the name of its host is unknown", socket("ENOTFOUND"), down],
  ["1: its name cannot be looked up now", socket("EAI_AGAIN"), down],
  ["1: its host is unreachable", socket("EHOSTUNREACH"), down],
  ["1: its network is unreachable", socket("ENETUNREACH"), down],
  ["1: connecting takes too long", socket("UND_ERR_CONNECT_TIMEOUT"), down],
  ["1: the system gives up connecting", socket("ETIMEDOUT"), down],

  ["2: the connection is reset", socket("ECONNRESET"), reset],
  ["2: the other side closes it", socket("UND_ERR_SOCKET"), reset],
  ["2: it breaks while the request is sent", socket("EPIPE"), reset],
  ["2: the body ends too early", socket("UND_ERR_RES_CONTENT_LENGTH_MISMATCH"), reset],
  ["2: a line is cut in the middle", { kind: "garbage", begun: true }, reset],

  [
    "3: the queue of pending loads is full",
    said(503, "server busy, please try again.  maximum pending requests exceeded"),
    full,
  ],

  [
    "4: a cloud model is overloaded",
    said(503, "Server overloaded, please retry shortly (ref: 6f1e)"),
    cloudFull,
  ],
  ["4: a cloud model limits the rate", said(429, "too many requests"), cloudFull],
  ["4: the cloud is not reached", status(502, "<html><h1>502 Bad Gateway</h1></html>"), cloudFull],
  ["4: a gateway waited too long", status(504, ""), cloudFull],
  ["4: 503 with an unknown text", said(503, "try later"), cloudFull],

  [
    "5: a cloud model wants a sign-in",
    status(401, JSON.stringify({ error: "unauthorized", signin_url: "https://example.org/connect" })),
    discard("backend_unauthorized"),
  ],
  ["5: unauthorized within a stream", inBand("unauthorized"), discard("backend_unauthorized")],
  [
    "5: cloud models are disabled",
    said(403, "ollama cloud is disabled: remote model is not available"),
    discard("backend_unauthorized"),
  ],

  ["6: 499 that was not our doing", said(499, "request canceled"), reset],

  [
    "7, 24: no first byte within the budget of a load",
    { kind: "silence", phase: "first_byte", limitMs: 600_000 },
    { code: "backend_stuck", disposition: "free", freeMax: 2, breaker: "stuck" },
  ],
  [
    "24: silence between tokens",
    { kind: "silence", phase: "between_tokens", limitMs: 120_000 },
    { code: "backend_stuck", disposition: "free", freeMax: 2, breaker: "stuck" },
  ],

  [
    "8: a load stalls",
    said(500, "timed out waiting for llama-server to start - loading model tensors"),
    stalled,
  ],
  [
    "8: a load stalls, before 0.30",
    said(500, "timed out waiting for llama runner to start - progress 0.00 - "),
    stalled,
  ],

  [
    "9: out of memory while loading",
    said(500, "llama-server reported out-of-memory during startup: failed to allocate buffer"),
    outOfMemory,
  ],
  [
    "9: a load that died of it",
    said(500, "llama-server process has terminated: exit status 1: error:cudaMalloc failed: out of memory"),
    outOfMemory,
  ],
  ["9: a model that does not fit the GPU", said(500, "unable to load full model on GPU"), outOfMemory],
  [
    "9: a model that does not fit, before 0.30",
    said(500, "model requires more system memory (5.1 GiB) than is available (3.2 GiB)"),
    outOfMemory,
  ],
  ["9: CUDA is out of memory", inBand("CUDA error: out of memory"), outOfMemory],

  [
    "10: the runner stops",
    said(
      500,
      "model runner has unexpectedly stopped, this may be due to resource limitations or an internal error, check ollama server logs for details",
    ),
    crash,
  ],
  ["10: the runner is gone", said(500, "llama-server process no longer running: 139 "), crash],
  ["10: the runner died", said(500, "llama-server process has terminated: signal: killed"), crash],
  [
    "10: the runner died, before 0.30",
    said(500, "llama runner process has terminated: signal: segmentation fault (core dumped)"),
    crash,
  ],
  ["10: the runner is gone, before 0.30", said(500, "llama runner process no longer running: 2 "), crash],
  ["10: a CUDA error", said(500, "CUDA error: an illegal memory access was encountered"), crash],
  ["10: 500 without a word", status(500, ""), crash],
  ["10: 500 with an unknown text", said(500, "something new"), crash],

  [
    "11: a crash within the stream",
    inBand("an error was encountered while running the model: unexpected EOF"),
    crash,
  ],
  ["11: an unknown error within the stream", inBand("something new"), crash],
  ["11: a crash within the stream, before 0.30", inBand("llama runner process has terminated: 1"), crash],

  // The worker calls the native API, where the swallowed error of row 12 is an error line or a missing end.
  ["12, 13: the stream ends without its last line", { kind: "unfinished" }, onceMore("truncated_answer")],
  [
    "13: the model repeats itself",
    said(500, "prediction aborted, token repeat limit reached"),
    onceMore("truncated_answer"),
  ],
  [
    "13: the model repeats itself, noticed within the stream",
    inBand("prediction aborted, token repeat limit reached"),
    onceMore("truncated_answer"),
  ],

  [
    "14: an empty prompt that only loads",
    { kind: "empty", doneReason: "load", evalCount: 0, thought: false },
    discard("invalid_request"),
  ],
  [
    "14: thinking used up all tokens",
    { kind: "empty", doneReason: "length", evalCount: 100, thought: true },
    discard("empty_answer"),
  ],
  [
    "14: the model stops at once",
    { kind: "empty", doneReason: "stop", evalCount: 1, thought: false },
    onceMore("empty_answer"),
  ],
  [
    "14: the model thinks and says nothing",
    { kind: "empty", doneReason: "stop", evalCount: 50, thought: true },
    onceMore("empty_answer"),
  ],

  ["16: unknown model", said(404, "model 'nope' not found"), discard("model_not_found")],
  [
    "16: unknown model, as the scheduler says it",
    said(404, 'model "nope" not found, try pulling it first'),
    discard("model_not_found"),
  ],

  ["17: no chat", said(400, '"nomic-embed-text" does not support chat'), discard("unsupported_capability")],
  [
    "17: no thinking",
    said(400, '"llama3.2:3b" does not support thinking'),
    discard("unsupported_capability"),
  ],
  [
    "17: no tools",
    said(400, "registry.ollama.ai/library/gemma:2b does not support tools"),
    discard("unsupported_capability"),
  ],
  [
    "17: no filling in",
    said(400, "registry.ollama.ai/library/gemma:2b does not support insert"),
    discard("unsupported_capability"),
  ],

  ["18: no body", said(400, "missing request body"), discard("invalid_request")],
  [
    "18: not JSON",
    said(400, "invalid character 'x' looking for beginning of value"),
    discard("invalid_request"),
  ],
  [
    "18: wrong type",
    said(400, "json: cannot unmarshal number into Go struct field GenerateRequest.prompt of type string"),
    discard("invalid_request"),
  ],
  ["18: no model", said(400, "model is required"), discard("invalid_request")],
  ["18: bad model name", said(400, "invalid model name"), discard("invalid_request")],
  ["18: too many logprobs", said(400, "top_logprobs must be between 0 and 20"), discard("invalid_request")],
  [
    "18: raw with a template is no lack of the model",
    said(400, "raw mode does not support template, system, or context"),
    discard("invalid_request"),
  ],
  [
    "18: bad think value",
    said(400, 'invalid think value: "very" (must be "high", "medium", "low", true, or false)'),
    discard("invalid_request"),
  ],
  ["18: any other 400", said(400, "something new"), discard("invalid_request")],

  [
    "19: bad format as 500",
    said(500, 'invalid format: "yaml"; expected "json" or a valid JSON Schema object'),
    discard("invalid_request"),
  ],
  [
    "19: bad type of an option as 500",
    said(500, 'option "num_ctx" must be of type integer'),
    discard("invalid_request"),
  ],
  [
    "19: bad template as 500",
    said(500, 'template: :1:2: executing "" at <.Nope>: can\'t evaluate field Nope'),
    discard("invalid_request"),
  ],
  [
    "19: incompatible model as 500",
    said(500, "error loading model: this model may be incompatible with your version of Ollama"),
    discard("invalid_request"),
  ],
  [
    "19: incompatible model as 500, before 0.30",
    said(
      500,
      "llama runner process has terminated: this model may be incompatible with your version of Ollama. If you previously pulled this model, try updating it by running `ollama pull x`",
    ),
    discard("invalid_request"),
  ],
  [
    "19: a second image as 500",
    said(500, "this model only supports one image while more than one image requested"),
    discard("unsupported_capability"),
  ],
  [
    "19: a picture for a model without eyes",
    passedOn(500, { message: "image input is not supported - hint: …", type: "server_error" }),
    discard("unsupported_capability"),
  ],

  [
    "20: a schema llama-server cannot use",
    passedOn(400, {
      message: "JSON schema conversion failed:\nUnrecognized schema",
      type: "invalid_request_error",
    }),
    discard("invalid_request"),
  ],
  [
    "20: a grammar llama-server cannot use, as 500",
    passedOn(500, { message: "Failed to initialize grammar sampler" }),
    discard("invalid_request"),
  ],
  [
    "20: anything else llama-server refuses",
    passedOn(400, { message: "something new", type: "invalid_request_error" }),
    discard("invalid_request"),
  ],

  [
    "20, 21: the context is too small, by llama-server's type",
    passedOn(400, { message: "too many tokens", type: "exceed_context_size_error" }),
    discard("context_too_long"),
  ],
  [
    "21: the context is too small, in llama-server's words",
    passedOn(400, {
      message: "the request exceeds the available context size. try increasing the context size",
    }),
    discard("context_too_long"),
  ],
  [
    "21: the prompt is too long without shift",
    said(
      400,
      "the prompt is longer than the context length currently available to the model; shorten it or raise num_ctx",
    ),
    discard("context_too_long"),
  ],
  [
    "21: a text to embed is too long",
    said(400, "the input length exceeds the context length"),
    discard("context_too_long"),
  ],
  [
    "21: a text to embed is too long, before 0.30",
    said(400, "input length exceeds maximum context length"),
    discard("context_too_long"),
  ],

  [
    "22: a crash while embedding, as 400",
    said(400, 'do embedding request: Post "http://127.0.0.1:43211/v1/embeddings": EOF'),
    crash,
  ],
  [
    "22: a runner that is gone while embedding, as 400",
    said(
      400,
      'do embedding request: Post "http://127.0.0.1:43211/embedding": dial tcp 127.0.0.1:43211: connect: connection refused',
    ),
    crash,
  ],

  [
    "23: no slots, before the semaphore",
    said(500, "unexpected server status: llm busy - no slots available"),
    { code: "backend_overloaded", disposition: "retry", delayMs: [1_000, 5_000], breaker: "none" },
  ],
  [
    "23: no slots after many tries",
    said(500, "no slots available after 10 retries"),
    { code: "backend_overloaded", disposition: "retry", delayMs: [1_000, 5_000], breaker: "none" },
  ],

  [
    "25: our own client loses patience for headers",
    socket("UND_ERR_HEADERS_TIMEOUT"),
    { code: "backend_stuck", disposition: "retry", breaker: "none" },
  ],
  [
    "25: our own client loses patience for the body",
    socket("UND_ERR_BODY_TIMEOUT"),
    { code: "backend_stuck", disposition: "retry", breaker: "none" },
  ],

  ["26: wrong Host header: 403, empty", status(403, ""), discard("backend_misconfigured")],
  ["26: no such path: 404 as text", status(404, "404 page not found"), discard("backend_misconfigured")],
  [
    "26: no such method: 405 as text",
    status(405, "405 method not allowed"),
    discard("backend_misconfigured"),
  ],
  ["26: a redirect, which Ollama never sends", status(301, ""), discard("backend_misconfigured")],
  ["26: an answer that is not Ollama's", { kind: "garbage", begun: false }, discard("backend_misconfigured")],

  [
    "27: a tool call with broken arguments",
    said(500, 'llama-server returned invalid tool call arguments for get_weather: "{\\"city\\": Par"'),
    onceMore("invalid_tool_call"),
  ],
  [
    "27: a tool call Ollama cannot parse",
    inBand("error parsing tool call: raw='{\"city\":', err=unexpected end of JSON input"),
    onceMore("invalid_tool_call"),
  ],
  [
    "27: a tool call llama-server cannot parse",
    passedOn(500, { message: "Failed to parse input at pos 12: <tool_call>{", type: "server_error" }),
    onceMore("invalid_tool_call"),
  ],
  [
    "27: a tool call that is no XML",
    inBand("XML syntax error on line 3: element <parameter> closed by </function>"),
    onceMore("invalid_tool_call"),
  ],

  [
    "none: a line that does not fit into memory",
    { kind: "too_long", limitBytes: 67_108_864 },
    discard("invalid_request"),
  ],
];

test.each(rows)("row %s", (_, failure, expected) => {
  expect(classifyFailure(failure)).toMatchObject(expected);
});

test("every row of the failure table that is a failure has a case", () => {
  const covered = new Set(rows.flatMap(([title]) => title.match(/^[\d, ]+/)?.[0].split(", ") ?? []));
  // 15 is a success: an answer cut by num_predict.
  const wanted = Array.from({ length: 27 }, (_, index) => String(index + 1)).filter((row) => row !== "15");
  expect(wanted.filter((row) => !covered.has(row))).toEqual([]);
});

describe("a text decides over the status it came with", () => {
  test.each([400, 404, 500, 503])("under %i", (code) => {
    expect(classifyFailure(said(code, "model 'nope' not found")).code).toBe("model_not_found");
    expect(classifyFailure(said(code, "llama-server process no longer running: 1")).code).toBe(
      "runner_crashed",
    );
  });
});

describe("texts that hold other texts are told by what they are, not by what they quote", () => {
  test.each([
    ["invalid tool call arguments: CUDA error: out of memory", "invalid_tool_call"],
    ["invalid tool call arguments: model 'x' not found", "invalid_tool_call"],
    ['invalid format: {"title":"server busy, please try again"}; expected "json"', "invalid_request"],
    ['template: :1: unexpected "does not support tools"', "invalid_request"],
    ["an error was encountered while running the model: it does not support my hat", "runner_crashed"],
    ["this machine does not support flash attention", "runner_crashed"],
  ])("%s", (text, code) => {
    expect(classifyFailure(said(500, text)).code).toBe(code);
  });
});

const secret = "the-secret-words";

describe("what the caller asked or the model wrote is not passed on", () => {
  const quoting: readonly (readonly [string, CallFailure])[] = [
    [
      "tool call arguments",
      said(500, `llama-server returned invalid tool call arguments: {"a":"${secret}"}`),
    ],
    ["a raw tool call", inBand(`error parsing tool call: raw='${secret}', err=unexpected end`)],
    [
      "an answer llama-server cannot parse",
      passedOn(500, { message: `Failed to parse input at pos 3: ${secret}` }),
    ],
    [
      "a conversation",
      passedOn(500, { message: `Failed to parse messages: ${secret}; messages = [${secret}]` }),
    ],
    [
      "a schema",
      said(500, `invalid format: {"title":"${secret}"}; expected "json" or a valid JSON Schema object`),
    ],
    ["a schema, by llama-server", passedOn(400, { message: `JSON schema conversion failed:\n${secret}` })],
    ["a template", said(500, `template: :1: unexpected ${secret}`)],
    ["a crash's last words", inBand(`an error was encountered while running the model: {"x":"${secret}"}`)],
    ["an unknown 400", said(400, `cannot do this: ${secret}`)],
    ["an unknown 500", said(500, `cannot do this "${secret}"`)],
    ["an unknown error in the stream", inBand(`broke at [${secret}]`)],
    ["an unknown text of several lines", status(500, `oops\n${secret}`)],
    ["a page of a proxy", status(502, `<html>${secret}</html>`)],
  ];
  test.each(quoting)("%s", (_, failure) => {
    expect(JSON.stringify(classifyFailure(failure))).not.toContain(secret);
  });
});

describe("what helps is passed on", () => {
  test.each([
    ["model 'nope' not found", /'nope'/],
    ["model requires more system memory (5.1 GiB) than is available (3.2 GiB)", /5\.1 GiB.*3\.2 GiB/],
    ['option "num_ctx" must be of type integer', /num_ctx/],
    ["registry.ollama.ai/library/gemma:2b does not support tools", /gemma:2b does not support tools/],
    ["something new: with details", /^status 500: something new$/],
    ["llama-server process has terminated: exit status 139", /exit status 139/],
  ])("%s", (text, message) => {
    expect(classifyFailure(said(500, text)).message).toMatch(message);
  });
});
