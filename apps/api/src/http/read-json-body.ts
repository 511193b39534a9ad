import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { isDeeperThan } from "./json-depth.ts";
import { Problem } from "./problem.ts";

export type BodyLimits = {
  readonly bytesMax: number;
  readonly depthMax: number;
  /**
   * Whatever the Content-Type says, it is read as JSON: what Ollama does, and its users' scripts rely on. Not from
   * web pages: those that may call us at all know how to set the type.
   */
  readonly anyType?: boolean;
};

/**
 * The JSON value a request carries. Read from Node's own stream: the web stream over it costs more than the
 * rest of a small request. Throws Problem; what is left of a refused body is drained by the server.
 */
export async function readJsonBody(incoming: IncomingMessage, limits: BodyLimits): Promise<unknown> {
  checkMediaType(incoming, limits.anyType === true && incoming.headers.origin === undefined);
  const bytes = await readBytes(incoming, limits.bytesMax);
  if (!isUtf8(bytes)) throw new Problem("malformed_body", "The body is not valid UTF-8.");
  const value = parseJson(bytes.toString("utf8"));
  if (isDeeperThan(value, limits.depthMax)) {
    const detail = `Objects and lists may be nested ${limits.depthMax} deep.`;
    throw new Problem("nested_too_deep", detail, { members: { depth_max: limits.depthMax } });
  }
  return value;
}

function checkMediaType(incoming: IncomingMessage, anyType: boolean): void {
  const { "content-type": type = "", "content-encoding": encoding = "identity" } = incoming.headers;
  // Insisting on the type also keeps web pages out of a server that runs on the reader's own machine: a
  // browser asks first before it sends this one to another site.
  if (!anyType && !/^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?;?$/i.test(type)) {
    throw new Problem("unsupported_media_type", "Send the header Content-Type: application/json.");
  }
  if (encoding !== "identity") {
    throw new Problem("unsupported_media_type", "Send the body without Content-Encoding.");
  }
}

function readBytes(incoming: IncomingMessage, bytesMax: number): Promise<Buffer> {
  if (Number(incoming.headers["content-length"]) > bytesMax) return Promise.reject(tooLarge(bytesMax));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const settle = (error?: Problem): void => {
      incoming.off("data", onData).off("end", onEnd).off("close", onClose);
      if (error) reject(error);
      else resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks));
    };
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      if (length > bytesMax) settle(tooLarge(bytesMax));
      else chunks.push(chunk);
    };
    const onEnd = (): void => settle();
    // Nobody will read this answer; it ends the request here.
    const onClose = (): void => settle(new Problem("malformed_request", "The body ended too early."));
    incoming.on("data", onData).on("end", onEnd).on("close", onClose);
  });
}

function tooLarge(bytesMax: number): Problem {
  const detail = `The body may have ${bytesMax} bytes.`;
  return new Problem("body_too_large", detail, { members: { bytes_max: bytesMax } });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    // V8's message quotes the text around the mistake, which may be a prompt; where it is will do.
    const [, position] = (error instanceof Error && /position (\d+)/.exec(error.message)) || [];
    const where = position === undefined ? "" : ` at character ${position}`;
    throw new Problem("malformed_body", `The body is not JSON: it breaks off or goes wrong${where}.`);
  }
}
