const newline = 10;

/** Most bytes one line may have: an answer without line ends must not fill the memory. */
const lineBytesMax = 64 * 1024 * 1024;

/** The lines of a byte stream, without their ends; empty lines are left out. */
export async function* readLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      const line = Buffer.concat([...rest, chunk.subarray(from, end)]);
      rest = [];
      restBytes = 0;
      from = end + 1;
      if (line.length > 0) yield line.toString("utf8");
    }
    if (from < chunk.length) rest.push(chunk.subarray(from));
    restBytes += chunk.length - from;
    if (restBytes > lineBytesMax) throw new RangeError(`a line is longer than ${lineBytesMax} bytes`);
  }
  const last = Buffer.concat(rest).toString("utf8");
  if (last.trim() !== "") yield last;
}
