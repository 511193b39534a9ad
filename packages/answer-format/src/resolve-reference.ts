/** `#`, `#/…` or `#name`: a place in the same schema. */
export function isLocalReference(reference: string): boolean {
  return reference.startsWith("#");
}

/** The schema a local reference names; undefined: there is none. */
export function resolveReference(root: object, reference: string): unknown {
  const pointer = decode(reference.slice(1));
  if (pointer === undefined) return undefined;
  if (pointer === "") return root;
  if (!pointer.startsWith("/")) return findAnchor(root, pointer);
  let value: unknown = root;
  for (const part of pointer.slice(1).split("/")) {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return isSchema(value) ? value : undefined;
}

const isSchema = (value: unknown): boolean =>
  typeof value === "boolean" || (typeof value === "object" && value !== null && !Array.isArray(value));

function decode(fragment: string): string | undefined {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return undefined;
  }
}

// Level by level: it must not overflow the stack on what is refused for its depth later.
function findAnchor(root: object, name: string): object | undefined {
  let level: unknown[] = [root];
  while (level.length > 0) {
    for (const node of level) {
      if (typeof node !== "object" || node === null) continue;
      const { $anchor, $id } = node as { $anchor?: unknown; $id?: unknown };
      if ($anchor === name || $id === `#${name}`) return node;
    }
    level = level.flatMap((node) => (typeof node === "object" && node !== null ? Object.values(node) : []));
  }
  return undefined;
}
