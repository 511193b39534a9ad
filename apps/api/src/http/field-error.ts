/** One thing wrong with one field: `options.num_ctx`, `messages[0].role`, `?limit`. */
export type FieldError = { readonly path: string; readonly message: string };

/** A path as a person would write it. */
export function formatPath(path: readonly PropertyKey[]): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else text += text === "" ? String(part) : `.${String(part)}`;
  }
  return text;
}
