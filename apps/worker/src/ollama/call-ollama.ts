import type { InferenceJob, InferenceResult } from "@forebay/queue-contracts";
import {
  type AnswerAssembler,
  type AnswerDelta,
  createAnswerAssembler,
  embedResult,
  parseAnswerJson,
} from "./assemble-answer.ts";
import { CallFailedError } from "./call-failure.ts";
import { embedAnswerSchema } from "./ollama-answer.ts";
import { type OllamaClient, toCallFailed } from "./ollama-client.ts";
import { cutLines } from "./cut-lines.ts";
import { startWatchdog } from "./watchdog.ts";

export type CallOptions = {
  readonly firstByteTimeoutMs: number;
  readonly tokenTimeoutMs: number;
  readonly backend: string;
  /** Sent as keep_alive where the caller did not say his own; undefined: none is sent. */
  readonly keepAliveS: number | undefined;
  /** Aborts the call; Ollama frees the slot when the connection closes. The call rejects with its reason. */
  readonly signal: AbortSignal;
  /** Called for every line that came, with what it added and the tokens so far. */
  readonly onDelta: (delta: AnswerDelta, tokens: number) => void;
};

const paths = { generate: "/api/generate", chat: "/api/chat", embed: "/api/embed" } as const;

/**
 * One call of Ollama, from request to whole result. Always streamed, whatever the caller wants: a stream that
 * pauses is told from one that hangs by its silence.
 *
 * @throws {CallFailedError} for everything that can go wrong on the wire
 */
export async function callOllama(
  client: OllamaClient,
  job: InferenceJob,
  options: CallOptions,
): Promise<InferenceResult> {
  const begunAt = performance.now();
  const watchdog = startWatchdog(options.signal, options.firstByteTimeoutMs, options.tokenTimeoutMs);
  const { signal } = watchdog;
  const served = () => ({ backend: options.backend, gpuMs: Math.round(performance.now() - begunAt) });
  try {
    const body = {
      model: job.model,
      ...(job.type === "embed" ? {} : { stream: true }),
      ...(options.keepAliveS === undefined ? {} : { keep_alive: options.keepAliveS }),
      ...job.request,
    };
    const read = async (onLine: (line: string) => void): Promise<void> => {
      const lines = cutLines(onLine);
      await client.stream(paths[job.type], body, signal, lines.push);
      lines.end();
    };
    if (job.type === "embed") return embedResult(job, await readEmbedding(read), served());

    const assembler = createAnswerAssembler(job);
    await readAnswer(read, assembler, (delta) => {
      watchdog.alive();
      options.onDelta(delta, assembler.tokens);
    });
    return assembler.finish(served());
  } catch (error) {
    throw toCallFailed(error, signal);
  } finally {
    watchdog.stop();
  }
}

type ReadLines = (onLine: (line: string) => void) => Promise<void>;

/** Reads to the end of the stream, not to the last line, so that the connection can be used again. */
async function readAnswer(
  read: ReadLines,
  assembler: AnswerAssembler,
  onDelta: (delta: AnswerDelta) => void,
): Promise<void> {
  try {
    await read((line) => {
      if (!assembler.done) onDelta(assembler.add(line));
    });
  } catch (error) {
    // The answer is whole: that the connection broke after it changes nothing.
    if (!assembler.done) throw error;
  }
}

async function readEmbedding(read: ReadLines) {
  let text = "";
  await read((line) => {
    text += line;
  });
  if (text === "") throw new CallFailedError({ kind: "unfinished" });
  const parsed = embedAnswerSchema.safeParse(parseAnswerJson(text, false));
  if (!parsed.success) throw new CallFailedError({ kind: "garbage", begun: false });
  return parsed.data;
}
