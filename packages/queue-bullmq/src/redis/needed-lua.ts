/**
 * A library of Lua without those of its functions that a script has no use for. Redis makes every function anew each
 * time a script runs, and clears them away again: some thirty that nobody calls cost as much as several commands.
 *
 * @param library its functions begin and end at the beginning of a line, or are one line
 */
export function neededLua(library: string, script: string): string {
  const parts = library.split(/^(?=local function )|(?<=^end\n)|(?<=^local function .* end\n)/m);
  const needed = new Set(parts.filter((part) => nameOf(part) === undefined));
  for (let before = -1; before < needed.size; ) {
    before = needed.size;
    const text = [script, ...needed].join("\n");
    for (const part of parts) if (new RegExp(`\\b${nameOf(part)}\\b`).test(text)) needed.add(part);
  }
  return parts.filter((part) => needed.has(part)).join("");
}

const nameOf = (part: string): string | undefined => /^local function (\w+)/.exec(part)?.[1];
