import { html } from "hono/html";
import { page } from "./page.ts";

export function messagePage(basePath: string, title: string, text: string) {
  return page(
    basePath,
    title,
    html`<p>${text}</p>
      <p class="hint"><a href="${basePath}/">Back to the board</a></p>`,
  );
}
