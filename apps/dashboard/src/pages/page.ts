import { html } from "hono/html";

type Html = ReturnType<typeof html>;

/** A page of ours: no script, one style sheet, nothing from elsewhere. */
export function page(basePath: string, title: string, body: Html): Html {
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="robots" content="noindex">
    <meta name="color-scheme" content="light dark">
    <title>${title} · Forebay</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="${basePath}/assets/page.css">
  </head>
  <body>
    <main>
      <h1>Forebay</h1>
      ${body}
    </main>
  </body>
</html>`;
}
