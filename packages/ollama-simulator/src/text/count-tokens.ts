// English averages about four characters per token in the vocabularies of current models.
const charactersPerToken = 4;

export function countTokens(text: string): number {
  return Math.ceil(text.length / charactersPerToken);
}
