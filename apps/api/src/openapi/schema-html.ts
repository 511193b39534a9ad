import { type Html, html, markdown } from "./html.ts";
import type { JsonSchema } from "./json-schemas.ts";

const referenced = /^#\/components\/schemas\/(.+)$/;

/** A table of an object's fields; for anything else one line that says what it is. */
export function schemaHtml(schema: JsonSchema): Html {
  const properties = schema["properties"] as Record<string, JsonSchema> | undefined;
  if (!properties) return html`<p class="type">${typeHtml(schema)}</p>`;
  const required = new Set(schema["required"] as string[] | undefined);
  const rows = Object.entries(properties).map(
    ([name, property]) => html`<tr>
      <th scope="row"><code>${name}</code>${required.has(name) ? html`<b title="required">*</b>` : undefined}</th>
      <td class="type">${typeHtml(property)}</td>
      <td>${descriptionHtml(property)}</td></tr>`,
  );
  return html`<table><tbody>${rows}</tbody></table>`;
}

function descriptionHtml(schema: JsonSchema): Html | undefined {
  const text = schema["description"];
  return typeof text === "string" ? markdown(text) : undefined;
}

/** One line: `string · null`, `list of <ChatMessage>`, `"a" | "b"`. */
function typeHtml(schema: JsonSchema): Html {
  const [, name] = referenced.exec(String(schema["$ref"] ?? "")) ?? [];
  if (name !== undefined) return html`<a href="#schema-${name}">${name}</a>`;
  const choices = (schema["anyOf"] ?? schema["oneOf"]) as JsonSchema[] | undefined;
  if (choices) return joinHtml(choices.map(typeHtml), " | ");
  const values = schema["enum"] as unknown[] | undefined;
  if (values) return html`${values.map((value) => JSON.stringify(value)).join(" | ")}`;
  if ("const" in schema) return html`${JSON.stringify(schema["const"])}`;
  if (schema["type"] === "array") return html`list of ${typeHtml((schema["items"] ?? {}) as JsonSchema)}`;
  const bounds = ["minimum", "maximum", "minLength", "maxLength"]
    .filter((bound) => Number.isSafeInteger(schema[bound]) && Math.abs(Number(schema[bound])) < 2 ** 40)
    .map((bound) => `${bound.replace("Length", "").replace("imum", "")} ${schema[bound]}`);
  const type = String(schema["type"] ?? "any JSON");
  return html`${[type, ...(schema["format"] ? [String(schema["format"])] : []), ...bounds].join(", ")}`;
}

function joinHtml(parts: readonly Html[], separator: string): Html {
  return html`${parts.map((part, index) => html`${index === 0 ? "" : separator}${part}`)}`;
}
