import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { Busboy, type BusboyHeaders } from "@fastify/busboy";
import type { BlobStore } from "@forebay/blob-store";
import { OpenaiRefusal } from "@forebay/openai-format";

export type Upload = {
  readonly filename: string;
  readonly bytes: number;
  readonly fields: ReadonlyMap<string, string>;
};

const fieldsMax = 20;
const fieldBytesMax = 1_000;

/**
 * Streams the file of a form into the blob store, as fast as that takes it. When this throws (OpenaiRefusal, or
 * what the store threw) no blob is left; so it does when the client goes away.
 */
export async function receiveUpload(
  incoming: IncomingMessage,
  blobs: BlobStore,
  key: string,
  bytesMax: number,
): Promise<Upload> {
  // The form around the file takes a little too.
  if (Number(incoming.headers["content-length"]) > bytesMax + 64 * 1024) throw tooLarge(bytesMax);
  const parser = openParser(incoming, bytesMax);
  const fields = new Map<string, string>();
  let file: { filename: string; stream: Readable; stored: Promise<number> } | undefined;

  const parsed = Promise.withResolvers<void>();
  const fail = (error: unknown): void => {
    incoming.unpipe(parser).resume();
    file?.stream.destroy(error instanceof Error ? error : undefined);
    parsed.reject(error);
  };
  parser.on("field", (name, value) => fields.set(name, value));
  parser.on("file", (name, stream, filename) => {
    if (name !== "file" || file) {
      stream.resume();
      fail(refuse(400, "Send one file, in the part named file.", "file"));
      return;
    }
    // A form that breaks off in the file says so here.
    stream.on("error", (error) => fail(error instanceof OpenaiRefusal ? error : malformed(error)));
    const stored = blobs.put(key, whole(stream, bytesMax, fail));
    stored.catch(fail);
    file = { filename: filename ?? "file", stream, stored };
  });
  for (const limit of ["partsLimit", "filesLimit", "fieldsLimit"] as const) {
    parser.on(limit, () => fail(refuse(400, "The form has more parts than a file needs.")));
  }
  parser.on("error", (error) => fail(error instanceof OpenaiRefusal ? error : malformed(error)));
  parser.on("finish", parsed.resolve);
  const onClose = (): void => {
    if (!incoming.complete) fail(refuse(400, "The upload ended too early."));
  };
  incoming.once("close", onClose);
  incoming.pipe(parser);

  try {
    await parsed.promise;
    if (!file) throw refuse(400, "Send the file, in the part named file.", "file");
    const { filename, stored } = file;
    const bytes = await stored;
    if (bytes === 0) throw refuse(400, "The file is empty.", "file");
    return { filename, bytes, fields };
  } catch (error) {
    // It may have been stored whole before the rest of the form turned out to be wrong.
    const kept = await file?.stored.catch(() => undefined);
    if (kept !== undefined) await blobs.delete(key);
    throw error;
  } finally {
    incoming.off("close", onClose);
  }
}

function openParser(incoming: IncomingMessage, bytesMax: number): InstanceType<typeof Busboy> {
  const { "content-type": type = "" } = incoming.headers;
  if (!/^multipart\/form-data\s*;/i.test(type)) {
    throw refuse(415, "Send the file as multipart/form-data, with a boundary.");
  }
  try {
    const limits = {
      // One more than is allowed: what fills it exactly is not too large.
      fileSize: bytesMax + 1,
      fields: fieldsMax,
      fieldSize: fieldBytesMax,
      parts: fieldsMax + 2,
    };
    return new Busboy({ headers: incoming.headers as BusboyHeaders, limits });
  } catch (error) {
    throw malformed(error);
  }
}

/** The content, unless it is too large: then it must not be stored. */
async function* whole(
  stream: Readable,
  bytesMax: number,
  fail: (error: unknown) => void,
): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += (chunk as Buffer).length;
    if (bytes > bytesMax) {
      const refusal = tooLarge(bytesMax);
      fail(refusal);
      throw refusal;
    }
    yield chunk as Buffer;
  }
}

const refuse = (status: number, message: string, param?: string): OpenaiRefusal =>
  new OpenaiRefusal(status, message, { param });

function tooLarge(bytesMax: number): OpenaiRefusal {
  return new OpenaiRefusal(413, `A file may have ${bytesMax} bytes.`, {
    param: "file",
    code: "file_too_large",
  });
}

/** The parser's message may quote the form. */
function malformed(cause: unknown): OpenaiRefusal {
  return Object.assign(refuse(400, "The body is not a form that can be read: it breaks off or goes wrong."), {
    cause,
  });
}
