import { html } from "hono/html";
import { page } from "./page.ts";

/** @param next where the form leads; already checked to be on the board */
export function loginPage(basePath: string, next: string, problem?: string) {
  const said = problem === undefined ? "" : html`<p class="problem" role="alert">${problem}</p>`;
  return page(
    basePath,
    "Log in",
    html`${said}
      <form method="post" action="${basePath}/login">
        <label for="key">API key with the role operator or admin</label>
        <input id="key" name="key" type="password" autocomplete="current-password" required autofocus>
        <input name="next" type="hidden" value="${next}">
        <button>Log in</button>
      </form>
      <p class="hint">
        Came by a link and logged in already? <a href="${next}">Go on</a>.<br>
        A key is made by <code>forebay keys create --name ops --tenant platform --role operator</code>.
      </p>`,
  );
}
