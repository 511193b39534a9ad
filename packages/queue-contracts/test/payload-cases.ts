/** Payloads by what they show. Each bad one is a good one with a single change, so that only it can be at fault. */
type Payload = Record<string, unknown>;

const envelope = { v: 1, tenant: "acme", model: "qwen3:8b" };
const generate = { ...envelope, type: "generate", request: { prompt: "Why is the sky blue?" } };
const chat = { ...envelope, type: "chat", request: { messages: [{ role: "user", content: "Hi" }] } };
const embed = { ...envelope, type: "embed", request: { input: "Hi" } };

const withRequest = (payload: typeof generate | typeof chat | typeof embed, fields: Payload): Payload => ({
  ...payload,
  request: { ...payload.request, ...fields },
});
const withMessage = (fields: Payload): Payload =>
  withRequest(chat, { messages: [{ role: "user", content: "Hi", ...fields }] });
const withOptions = (options: Payload): Payload => withRequest(generate, { options });
const pairs = (count: number): Payload =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`key-${i}`, "value"]));
const jsonSchema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const tool = { type: "function", function: { name: "weather", description: "d", parameters: jsonSchema } };
const toolCall = { id: "c1", function: { name: "weather", arguments: { city: "Bern", days: [1, 2] } } };
const pixel = "iVBORw0KGgo=";
const nested = (levels: number): unknown => JSON.parse(`${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`);

export const goodPayloads: [title: string, payload: Payload][] = [
  ["the smallest generate", generate],
  ["the smallest chat", chat],
  ["the smallest embed", embed],
  [
    "every field of the envelope",
    { ...generate, user: "u 1", lane: "batch", metadata: pairs(16), stream: false },
  ],
  [
    "generate with a schema",
    withRequest(generate, { format: jsonSchema, think: "low", keep_alive: "1h30m" }),
  ],
  [
    "generate with everything",
    withRequest(generate, { system: "", suffix: "", template: "{{ .Prompt }}", raw: true }),
  ],
  ["generate with pictures", withRequest(generate, { images: [pixel], format: "json", keep_alive: -1 })],
  [
    "generate with log probabilities",
    withRequest(generate, { logprobs: true, top_logprobs: 20, think: false }),
  ],
  [
    "options at their limits",
    withOptions({ num_ctx: 1, num_gpu: -1, top_p: 1, min_p: 0, temperature: 0, seed: -1 }),
  ],
  ["stop as a list", withOptions({ stop: ["\n", "END"], num_predict: -2 })],
  ["a prompt of a million characters", withRequest(generate, { prompt: "🌊".repeat(500_000) })],
  ["a chat with tools", withRequest(chat, { tools: [tool] })],
  [
    "a message that calls a tool",
    withMessage({ role: "assistant", content: undefined, tool_calls: [toolCall] }),
  ],
  ["a tool's answer", withMessage({ role: "tool", tool_name: "weather", tool_call_id: "c1" })],
  ["a message without content", { ...chat, request: { messages: [{ role: "assistant", thinking: "hm" }] } }],
  ["embed of a list", withRequest(embed, { input: ["a", "b"], dimensions: 256, truncate: false })],
  ["a model in a registry", { ...generate, model: "hf.co/bartowski/Llama-3.2-1B-GGUF:Q8_0" }],
];

/** `where`: the path an error must name. `byZodOnly`: JSON Schema has no words for it. */
export const badPayloads: [title: string, payload: unknown, where: string, byZodOnly?: true][] = [
  ["nothing", undefined, ""],
  ["null", null, ""],
  ["a text", "generate", ""],
  ["a list", [generate], ""],
  ["no type", { ...generate, type: undefined }, "type"],
  ["an unknown type", { ...generate, type: "image" }, "type"],
  ["a type in upper case", { ...generate, type: "Generate" }, "type"],
  ["a later version", { ...generate, v: 2 }, "v"],
  ["a version as text", { ...generate, v: "1" }, "v"],
  ["no tenant", { ...generate, tenant: undefined }, "tenant"],
  ["an empty tenant", { ...generate, tenant: "" }, "tenant"],
  ["a tenant that would leave its key", { ...generate, tenant: "a:b" }, "tenant"],
  ["no model", { ...generate, model: undefined }, "model"],
  ["a model that is a path", { ...generate, model: "../etc" }, "model"],
  ["a model with a line break", { ...generate, model: "a\nb" }, "model"],
  ["a model that is too long", { ...generate, model: "m".repeat(201) }, "model"],
  ["an unknown lane", { ...generate, lane: "urgent" }, "lane"],
  ["a priority", { ...generate, priority: 1 }, "priority"],
  ["an unknown field of the envelope", { ...generate, webhook: "https://x" }, "webhook"],
  ["an unknown field of the request", withRequest(generate, { promt: "x" }), "promt"],
  ["a chat's field in generate", withRequest(generate, { messages: [] }), "messages"],
  ["a generate's field in chat", withRequest(chat, { prompt: "x" }), "prompt"],
  ["an unknown field of a message", withMessage({ name: "bob" }), "name"],
  ["an unknown option", withOptions({ num_ctxt: 4096 }), "num_ctxt"],
  ["17 pairs of metadata", { ...generate, metadata: pairs(17) }, "metadata"],
  ["metadata that is no text", { ...generate, metadata: { a: 1 } }, "metadata.a"],
  ["an empty prompt", withRequest(generate, { prompt: "" }), "request.prompt"],
  ["no prompt", withRequest(generate, { prompt: undefined }), "request.prompt"],
  ["a prompt with NUL", withRequest(generate, { prompt: "a\0b" }), "request.prompt"],
  ["a prompt with half a character", withRequest(generate, { prompt: "\ud83c" }), "request.prompt", true],
  ["a system prompt with NUL", withRequest(generate, { system: "\0" }), "request.system"],
  ["a message with half a character", withMessage({ content: "\udf0a" }), "request.messages.0.content", true],
  ["no messages", withRequest(chat, { messages: [] }), "request.messages"],
  ["an unknown role", withMessage({ role: "developer" }), "request.messages.0.role"],
  [
    "tool arguments as text",
    withMessage({ tool_calls: [{ function: { name: "f", arguments: "{}" } }] }),
    "arguments",
  ],
  ["a tool without a name", withRequest(chat, { tools: [{ type: "function", function: {} }] }), "name"],
  ["no input", withRequest(embed, { input: undefined }), "request.input"],
  ["an empty list of input", withRequest(embed, { input: [] }), "request.input"],
  ["an empty text in input", withRequest(embed, { input: ["a", ""] }), "request.input"],
  [
    "a picture as a data URL",
    withRequest(generate, { images: [`data:image/png;base64,${pixel}`] }),
    "images.0",
  ],
  ["a format that is another text", withRequest(generate, { format: "xml" }), "request.format"],
  [
    "a format deeper than can be walked",
    withRequest(generate, { format: nested(3_000) }),
    "request.format",
    true,
  ],
  ["keep_alive without a unit", withRequest(generate, { keep_alive: "5" }), "request.keep_alive"],
  ["21 alternatives per token", withRequest(generate, { top_logprobs: 21 }), "request.top_logprobs"],
  ["a context of no tokens", withOptions({ num_ctx: 0 }), "request.options.num_ctx"],
  ["half a token of context", withOptions({ num_ctx: 4096.5 }), "request.options.num_ctx"],
  ["a context as text", withOptions({ num_ctx: "4096" }), "request.options.num_ctx"],
  ["a context of 10^300 tokens", withOptions({ num_ctx: 1e300 }), "request.options.num_ctx"],
  ["a seed beyond what a number can hold", withOptions({ seed: 2 ** 53 }), "request.options.seed"],
  ["an infinite temperature", withOptions({ temperature: Number.POSITIVE_INFINITY }), "temperature", true],
  ["a temperature that is no number", withOptions({ temperature: Number.NaN }), "temperature", true],
  ["a probability above 1", withOptions({ top_p: 1.01 }), "request.options.top_p"],
  ["a time to begin by as text", { ...generate, start_by: "2026-01-01T00:00:00Z" }, "start_by"],
  ["half a millisecond", { ...generate, start_by: 0.5 }, "start_by"],
  ["no time at all to run", { ...generate, timeout_s: 0 }, "timeout_s"],
  ["stream as text", { ...generate, stream: "false" }, "stream"],
];
