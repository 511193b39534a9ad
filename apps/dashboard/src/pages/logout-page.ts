import { html } from "hono/html";
import type { Viewer } from "../access/viewer.ts";
import { page } from "./page.ts";

/** Asks before it ends the session: a link alone must not be able to. */
export function logoutPage(basePath: string, viewer: Viewer, csrfToken: string) {
  return page(
    basePath,
    "Log out",
    html`<p>Logged in with the key <strong>${viewer.name}</strong> (${viewer.role}).</p>
      <form method="post" action="${basePath}/logout">
        <input name="csrf" type="hidden" value="${csrfToken}">
        <button>Log out</button>
      </form>
      <p class="hint"><a href="${basePath}/">Back to the board</a></p>`,
  );
}
