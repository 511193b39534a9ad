/** What Bull Board's page is told by its server; see UIConfig of @bull-board/api. */
export type PageConfig = Record<string, unknown>;

/**
 * Bull Board's page made ours: nothing from a foreign host (its fonts), our style and script added, and
 * `config` laid over the one in the page.
 */
export function rewritePage(html: string, basePath: string, config: PageConfig): string {
  const head =
    `<link rel="stylesheet" href="${basePath}/assets/board.css">` +
    `<script defer src="${basePath}/assets/board.js"></script>`;
  return html
    .replaceAll(/<link\b[^>]*\bhref="https?:[^>]*>/g, "")
    .replace(/(<div id="root">)[\s\S]*?(?=<script\b)/, '$1<p class="forebay-loading">Loading</p></div>')
    .replace(/(<script id="__UI_CONFIG__"[^>]*>)([\s\S]*?)(?=<\/script>)/, (_, tag: string, json: string) => {
      return tag + escapeForScript({ ...(JSON.parse(json) as PageConfig), ...config });
    })
    .replace("</head>", () => `${head}</head>`);
}

// "</script>" inside the JSON would end the element.
function escapeForScript(config: PageConfig): string {
  return JSON.stringify(config).replaceAll("<", "\\u003c").replaceAll(">", "\\u003e");
}
