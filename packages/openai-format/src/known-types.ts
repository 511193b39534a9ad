/** A union's own words for a `type` nobody knows; what is wrong within a member keeps its own. */
export const knownTypes = (known: string) => (issue: { code?: string | undefined; input?: unknown }) => {
  if (issue.code !== "invalid_union") return undefined;
  const named = typeof issue.input === "object" && issue.input && "type" in issue.input && issue.input.type;
  return `${typeof named === "string" ? `"${named.slice(0, 64)}" is not offered here` : "is not known"}; it may be ${known}`;
};
