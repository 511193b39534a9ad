import { element } from "./element.ts";
import type { TabStore } from "./tab-store.ts";

/** The fields of the form, by their names. What is typed is kept over reloads. */
export type JobForm = { fields(): Record<string, string> };

export function createJobForm(store: TabStore, onSubmit: () => void): JobForm {
  const form = element("job-form", HTMLFormElement);
  const fields = (): Record<string, string> =>
    Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]));

  for (const [name, value] of Object.entries(store.draft)) {
    const field = form.elements.namedItem(name);
    if (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) field.value = value;
    // Which models there are is not known yet.
    if (field instanceof HTMLSelectElement && name !== "model") field.value = value;
  }
  form.addEventListener("input", () => (store.draft = fields()));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    onSubmit();
  });
  element("prompt", HTMLTextAreaElement).addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  return { fields };
}
