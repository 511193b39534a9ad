import { checkedSchema } from "./checked-schema.ts";
import type { ResponseNote } from "@forebay/queue-contracts";
import { OpenaiRefusal } from "./openai-refusal.ts";
import type { ResponseBody, ResponseInputItem } from "./response-body.ts";
import { callIdOf, saidIn } from "./response-items.ts";
import { responseIdOf, type ResponseJob } from "./response-job.ts";
import { present, toImage, toOptions } from "./to-ollama-request.ts";

type Message = {
  role: string;
  content: string;
  images?: string[];
  thinking?: string;
  tool_calls?: { id: string; function: { name: string; arguments: unknown } }[];
  tool_name?: string;
  tool_call_id?: string;
};

/** The parts of a job a response's body decides. */
export type ResponseJobParts = {
  readonly request: object;
  readonly response: ResponseNote;
  readonly metadata?: ResponseBody["metadata"];
};

/**
 * A body of OpenAI's responses API → a chat of Ollama's and what is noted beside it. Throws OpenaiRefusal.
 *
 * @param followed the response it follows, ended with a result
 */
export function toResponseJob(body: ResponseBody, followed: ResponseJob | undefined): ResponseJobParts {
  const instructions = body.instructions ? [{ role: "system", content: body.instructions }] : [];
  const before = followed ? conversationOf(followed) : [];
  const own = toMessages(body.input, before);
  const calling = body.tool_choice !== "none";
  const wantsLogprobs =
    (body.top_logprobs ?? 0) > 0 || body.include?.includes("message.output_text.logprobs");
  const effort = body.reasoning?.effort ?? undefined;
  return {
    request: present({
      messages: [...instructions, ...before, ...own],
      tools: calling && body.tools && body.tools.length > 0 ? body.tools.map(toTool) : undefined,
      format: toFormat(body.text?.format),
      think: toThink(effort),
      logprobs: wantsLogprobs ? true : undefined,
      top_logprobs: body.top_logprobs,
      options: toOptions({ ...body, stream: undefined }, body.max_output_tokens),
    }),
    response: {
      input: own.length,
      ...(body.instructions && { instructions: true }),
      ...(followed && { previous: followed.id }),
      ...(body.background && { background: true }),
      ...(body.store === false && { store: false }),
      ...noteFormat(body.text?.format),
      ...(effort && { effort }),
      ...(calling ? {} : { tool_choice: "none" }),
    },
    ...(body.metadata && { metadata: body.metadata }),
  };
}

/** All that was said until the end of a response, without its instructions. */
function conversationOf({ id, job, result }: ResponseJob): Message[] {
  const { thinking, text, toolCalls } = saidIn(result);
  const calls = toolCalls.map((call, index) => ({
    id: callIdOf(id, index),
    function: (call as { function: { name: string; arguments: unknown } }).function,
  }));
  const before = job.request.messages.slice(job.response.instructions ? 1 : 0) as Message[];
  const answer = {
    role: "assistant",
    content: text,
    ...(thinking !== "" && { thinking }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
  return [...before, answer];
}

/** Thoughts, words and calls that follow each other are one message of the assistant, as Ollama has them. */
function toMessages(input: ResponseBody["input"], before: readonly Message[]): Message[] {
  if (typeof input === "string") return [{ role: "user", content: input }];
  const messages: Message[] = [];
  const assistant = (fits: (last: Message) => boolean): Message => {
    const last = messages.at(-1);
    if (last?.role === "assistant" && fits(last)) return last;
    const fresh = { role: "assistant", content: "" };
    messages.push(fresh);
    return fresh;
  };
  input.forEach((item, index) => {
    const path = `input[${index}]`;
    switch (item.type) {
      case "reasoning": {
        const thought = [...(item.content ?? []), ...(item.content?.length ? [] : (item.summary ?? []))];
        const text = thought.map((each) => each.text).join("\n");
        if (text !== "") assistant(() => false).thinking = text;
        return;
      }
      case "function_call": {
        const call = { name: item.name, arguments: parseArguments(item.arguments, path) };
        const message = assistant(() => true);
        message.tool_calls = [...(message.tool_calls ?? []), { id: item.call_id, function: call }];
        return;
      }
      case "function_call_output": {
        const name = calledName([...before, ...messages], item.call_id);
        if (name === undefined) {
          const param = `${path}.call_id`;
          throw new OpenaiRefusal(400, `${param}: no call with this id comes before.`, { param });
        }
        const content = typeof item.output === "string" ? item.output : joinText(item.output);
        messages.push({ role: "tool", content, tool_name: name, tool_call_id: item.call_id });
        return;
      }
      case "item_reference": {
        // Whoever can look it up has put the item in its place.
        const param = `${path}.type`;
        throw new OpenaiRefusal(400, `${param}: send the item itself; it is not looked up here.`, { param });
      }
      case "message":
      case undefined: {
        const said = toContent(item, `${path}.content`);
        if (item.role !== "assistant") {
          messages.push({ role: item.role === "user" ? "user" : "system", ...said });
          return;
        }
        const message = assistant(({ content, tool_calls: calls }) => content === "" && !calls);
        Object.assign(message, said);
      }
    }
  });
  if (messages.length === 0) {
    throw new OpenaiRefusal(400, "input: holds nothing to answer.", { param: "input" });
  }
  return messages;
}

type BodyMessage = Extract<ResponseInputItem, { role: string }>;

function toContent({ content }: BodyMessage, path: string): { content: string; images?: string[] } {
  if (typeof content === "string") return { content };
  const images = content.flatMap((part, index) =>
    part.type === "input_image" ? [toImage(part.image_url, `${path}[${index}]`)] : [],
  );
  return { content: joinText(content), ...(images.length > 0 && { images }) };
}

function joinText(parts: readonly object[]): string {
  return parts
    .flatMap((part) => {
      if ("text" in part) return [String(part.text)];
      return "refusal" in part ? [String(part.refusal)] : [];
    })
    .join("\n");
}

function calledName(messages: readonly Message[], callId: string): string | undefined {
  const calls = messages.flatMap((message) => message.tool_calls ?? []);
  return calls.find(({ id }) => id === callId)?.function.name;
}

function parseArguments(text: string, path: string): unknown {
  const param = `${path}.arguments`;
  try {
    const value: unknown = text === "" ? {} : JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Told below.
  }
  throw new OpenaiRefusal(400, `${param}: must be a JSON object as text.`, { param });
}

function toTool({ name, description, parameters }: NonNullable<ResponseBody["tools"]>[number]): object {
  return { type: "function", function: present({ name, description, parameters }) };
}

type Format = NonNullable<ResponseBody["text"]>["format"];

function toFormat(format: Format): unknown {
  if (format?.type === "json_object") return "json";
  return format?.type === "json_schema" ? checkedSchema(format.schema, "text.format.schema") : undefined;
}

function noteFormat(format: Format): Pick<ResponseNote, "format"> {
  if (format?.type !== "json_schema") return {};
  const { name, description, strict } = format;
  return {
    format: {
      name,
      ...(typeof description === "string" && { description }),
      ...(typeof strict === "boolean" && { strict }),
    },
  };
}

function toThink(effort: ResponseNote["effort"]): unknown {
  if (effort === "none") return false;
  if (effort === "xhigh") return "max";
  return effort === "minimal" ? "low" : effort;
}

/** What a response cannot follow, said as OpenAI does. */
export function previousNotFound(id: string): OpenaiRefusal {
  const why = `Previous response with id '${id}' not found.`;
  return new OpenaiRefusal(400, why, { param: "previous_response_id", code: "previous_response_not_found" });
}

/** Throws OpenaiRefusal when the response has no answer to go on from. */
export function requireAnswered(followed: ResponseJob): ResponseJob {
  if (followed.state === "completed" && followed.result) return followed;
  const why = `previous_response_id: ${responseIdOf(followed.id)} has no answer to go on from; it is ${followed.state}.`;
  throw new OpenaiRefusal(400, why, {
    param: "previous_response_id",
    code: "previous_response_not_completed",
  });
}
