/** Text made safe for HTML, marked so that it is not escaped again. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Value = Html | string | number | undefined | readonly Html[];

/** A template whose values are escaped unless they are Html themselves; undefined writes nothing. */
export function html(parts: TemplateStringsArray, ...values: Value[]): Html {
  let text = parts[0] ?? "";
  for (const [index, value] of values.entries()) text += textOf(value) + (parts[index + 1] ?? "");
  return new Html(text);
}

/** The little Markdown that descriptions use: `code`, and lists of lines that begin with a dash. */
export function markdown(text: string): Html {
  const inline = (line: string): string => escape(line).replace(/`([^`]+)`/g, "<code>$1</code>");
  const lines = text.split("\n");
  if (!lines.every((line) => line.startsWith("- "))) return new Html(lines.map(inline).join("<br>"));
  return new Html(`<ul>${lines.map((line) => `<li>${inline(line.slice(2))}</li>`).join("")}</ul>`);
}

function textOf(value: Value): string {
  if (value === undefined) return "";
  if (value instanceof Html) return value.text;
  return typeof value === "object" ? value.map((each) => each.text).join("") : escape(String(value));
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (char) => entities[char] ?? char);
}
