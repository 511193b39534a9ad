import { text } from "node:stream/consumers";
import type { CliIo } from "../command.ts";
import { UsageError } from "../usage-error.ts";

/** The prompt as typed, or else from standard input, without the line end that editors and `echo` add. */
export async function readPrompt(
  command: string,
  typed: string | undefined,
  { stdin }: CliIo,
): Promise<string> {
  if (typed === undefined && stdin.isTTY) {
    throw new UsageError("what is the prompt? (an argument in quotes, or standard input)", command);
  }
  const prompt = typed ?? (await text(stdin)).replace(/\r?\n$/, "");
  if (prompt.trim() === "") throw new UsageError("the prompt is empty", command);
  return prompt;
}
