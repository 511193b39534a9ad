import { type ProblemCode, problemCodes } from "../http/problem-codes.ts";
import type { OpenApiDocument } from "./create-document.ts";
import { type Html, html, markdown } from "./html.ts";
import type { JsonSchema } from "./json-schemas.ts";
import type { Operation } from "./operation.ts";
import { schemaHtml } from "./schema-html.ts";

/** The document as a page: no script, no font, nothing from another host. */
export function createDocsPage(document: OpenApiDocument, operations: readonly Operation[]): string {
  const { title, version, description } = document.info;
  const { schemas } = document["components"] as { schemas: Record<string, JsonSchema> };
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title><link rel="stylesheet" href="docs/style.css"></head><body>
<nav><h1>${title}</h1>${groupsHtml(operations)}<h2>reference</h2><a href="#problems">Refusals</a>
${Object.keys(schemas).map((name) => html`<a href="#schema-${name}">${name}</a>`)}
<a href="openapi.json">openapi.json</a><a href="playground">Try it in the browser</a></nav>
<main><p class="lead">${markdown(description)}</p><p>Version ${version}.</p>
${operations.map((operation) => operationHtml(operation, document))}
<section id="problems"><h2>Refusals</h2>${problemsHtml()}</section>
${Object.entries(schemas).map(
  ([name, schema]) => html`<section id="schema-${name}"><h2>${name}</h2>${schemaHtml(schema)}</section>`,
)}
</main></body></html>`;
  return page.text;
}

const linkHtml = ({ id, method, path }: Operation): Html =>
  html`<a href="#${id}"><b class="${method}">${method.toUpperCase()}</b> ${path}</a>`;

/** Links under the names of their groups, in the order in which those begin. */
function groupsHtml(operations: readonly Operation[]): Html[] {
  const groups = Map.groupBy(operations, ({ tag }) => tag);
  return [...groups].map(([tag, all]) => html`<h2>${tag}</h2>${all.map(linkHtml)}`);
}

function operationHtml(operation: Operation, document: OpenApiDocument): Html {
  const { id, method, path, summary, description, parameters = [], curl } = operation;
  return html`<section id="${id}"><h2><b class="${method}">${method.toUpperCase()}</b> <code>${path}</code></h2>
<p class="lead">${summary}.</p>${description === undefined ? undefined : html`<p>${markdown(description)}</p>`}
${curl === undefined ? undefined : html`<pre>${curl}</pre>`}
${
  parameters.length === 0
    ? undefined
    : html`<h3>Parameters</h3><table><tbody>${parameters.map(
        ({ name, in: place, description: text }) =>
          html`<tr><th scope="row"><code>${name}</code></th><td class="type">${place}</td><td>${markdown(text)}</td></tr>`,
      )}</tbody></table>`
}
${bodyHtml(operation, document)}${answersHtml(operation, document)}</section>`;
}

type Described = {
  requestBody?: { content: Content };
  responses: Record<string, { description: string; content?: Content }>;
};
type Content = Record<string, { schema: JsonSchema }>;

function described(operation: Operation, document: OpenApiDocument): Described {
  const paths = document["paths"] as Record<string, Record<string, Described>>;
  return paths[operation.path]?.[operation.method] ?? { responses: {} };
}

function bodyHtml(operation: Operation, document: OpenApiDocument): Html | undefined {
  const schema = described(operation, document).requestBody?.content[
    operation.body?.mediaType ?? "application/json"
  ]?.schema;
  if (!operation.body || !schema) return undefined;
  const examples = Object.values(operation.body.examples).map(
    (example) => html`<pre>${JSON.stringify(example, undefined, 2)}</pre>`,
  );
  return html`<h3>Body</h3>${schemaHtml(schema)}${examples}`;
}

function answersHtml(operation: Operation, document: OpenApiDocument): Html {
  const rows = Object.entries(described(operation, document).responses).map(
    ([
      status,
      { description, content },
    ]) => html`<tr><th scope="row">${status}</th><td>${markdown(description)}
${content?.["application/json"] ? schemaHtml(content["application/json"].schema) : undefined}</td></tr>`,
  );
  return html`<h3>Answers</h3><table><tbody>${rows}</tbody></table>`;
}

function problemsHtml(): Html {
  const rows = (Object.keys(problemCodes) as ProblemCode[]).map(
    (
      code,
    ) => html`<tr><th scope="row"><code>${code}</code></th><td class="type">${problemCodes[code].status}</td>
<td>${problemCodes[code].title}.</td></tr>`,
  );
  return html`<table><tbody>${rows}</tbody></table>`;
}
