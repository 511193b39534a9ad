import { element, make } from "./element.ts";
import { showProblem } from "./show-problem.ts";
import type { TabStore } from "./tab-store.ts";

/** Where a key is entered, and where it stands that there is one. */
export type KeyForm = {
  /** The server has let us in, or wants a key; `error` is what it had against the one it got. */
  show(wanted: boolean, error?: unknown): void;
};

/** @param onChange there is another key now, or none any more */
export function createKeyForm(store: TabStore, onChange: () => void): KeyForm {
  const form = element("key-form", HTMLFormElement);
  const field = element("key", HTMLInputElement);
  const status = element("key-status", HTMLElement);
  const change = (key: string | undefined): void => {
    store.key = key;
    onChange();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const key = field.value.trim();
    field.value = "";
    change(key);
  });
  return {
    show(wanted, error) {
      form.hidden = !wanted;
      showProblem(element("key-problem", HTMLElement), error);
      if (wanted) {
        status.replaceChildren("A key is needed.");
        return field.focus();
      }
      if (store.key === undefined) return status.replaceChildren("No key is needed here.");
      const forget = make("button", "link", "Forget it");
      forget.type = "button";
      forget.addEventListener("click", () => change(undefined));
      status.replaceChildren(`Using the key ${store.key.slice(0, 6)}… `, forget);
    },
  };
}
