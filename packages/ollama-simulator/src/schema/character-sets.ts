type Characters = [string, ...string[]];

const digits = "0123456789";
const letters = "abcdefghijklmnopqrstuvwxyz";
const word = letters + letters.toUpperCase() + digits;
// Enough for the complement of any sensible class.
const printable = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i));

/** What `\d`, `\w`, `\s` and their opposites stand for. */
export function shorthandCharacters(name: string): Characters {
  switch (name) {
    case "d":
      return charactersOf(digits);
    case "s":
      return [" "];
    case "w":
    case "S":
      return charactersOf(word);
    case "W":
      return charactersOf("-.,:");
    default:
      return charactersOf(letters);
  }
}

/** The inside of a bracket expression. */
export function parseCharacterClass(body: string): Characters {
  const negated = body.startsWith("^");
  const listed = listCharacters(negated ? body.slice(1) : body);
  if (!negated) return charactersOf(listed.join(""));
  const rest = printable.filter((character) => !listed.includes(character));
  const plain = rest.filter((character) => word.includes(character));
  return charactersOf((plain.length > 0 ? plain : rest).join(""));
}

function listCharacters(body: string): string[] {
  const items = body.match(/\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|\\.|[^\\]/gsu) ?? [];
  const listed: string[] = [];
  for (let i = 0; i < items.length; i++) {
    const end = items[i + 2];
    const from = literal(items[i] ?? "");
    if (items[i + 1] === "-" && end !== undefined && from.length === 1) {
      listed.push(...charactersBetween(from[0] ?? "", literal(end)[0] ?? ""));
      i += 2;
    } else listed.push(...from);
  }
  return listed;
}

function literal(item: string): string[] {
  if (!item.startsWith("\\")) return [item];
  if (/^\\[ux]/.test(item)) return [String.fromCharCode(Number.parseInt(item.slice(2), 16))];
  const name = item.slice(1);
  return /[dwsDWS]/.test(name) ? shorthandCharacters(name) : [name];
}

function charactersBetween(from: string, to: string): string[] {
  const start = from.charCodeAt(0);
  return Array.from({ length: Math.max(to.charCodeAt(0) - start + 1, 0) }, (_, i) =>
    String.fromCharCode(start + i),
  );
}

function charactersOf(text: string): Characters {
  const [first = "a", ...rest] = text;
  return [first, ...rest];
}
