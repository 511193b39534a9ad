/** Cuts finished text into what a model would have emitted step by step: words, or pieces of long ones. */
export function splitTokens(text: string): string[] {
  return text.match(/\s*(?:[\p{L}\p{N}]{1,8}|[^\s\p{L}\p{N}]{1,3})|\s+/gu) ?? [];
}
