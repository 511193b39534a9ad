// Ollama's rule per part: up to 80 of these, not starting with a separator.
const part = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}$/;
const defaultPrefix = /^registry\.ollama\.ai\/(library\/)?/;

/** The name with its tag, without the default registry; undefined when it is none. */
export function parseModelName(raw: string): string | undefined {
  const short = raw.replace(defaultPrefix, "").replace(/^library\//, "");
  const slash = short.lastIndexOf("/");
  const colon = short.indexOf(":", slash + 1);
  const path = colon === -1 ? short : short.slice(0, colon);
  const tag = colon === -1 ? "latest" : short.slice(colon + 1);
  if (!part.test(tag)) return undefined;
  const parts = path.split("/");
  if (parts.length > 3 || !parts.every((piece) => part.test(piece.replace(/:\d+$/, "")))) return undefined;
  return `${path}:${tag}`;
}

/** As Ollama's own messages spell it in full. */
export function fullModelName(name: string): string {
  const parts = name.split("/").length;
  if (parts >= 3) return name;
  return parts === 2 ? `registry.ollama.ai/${name}` : `registry.ollama.ai/library/${name}`;
}
