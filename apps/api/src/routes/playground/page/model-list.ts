import type { ListedModel } from "@forebay/client";
import { make } from "./element.ts";

/** Fills the choice of models; the one that was chosen stays, otherwise a loaded one that can write is. */
export function showModels(select: HTMLSelectElement, models: readonly ListedModel[], wanted: string): void {
  const options = models.map(({ name, backends }) => {
    const option = make("option", "", `${name}${noteOf(backends)}`);
    option.value = name;
    return option;
  });
  if (options.length === 0) options.push(make("option", "", "no model is served yet"));
  const first = options[0];
  if (models.length === 0 && first) first.value = "";
  select.replaceChildren(...options);
  const chosen =
    models.find(({ name }) => name === wanted) ??
    models.find(({ backends }) => backends.some(({ loaded }) => loaded)) ??
    models.find(({ name }) => !name.includes("embed"));
  if (chosen) select.value = chosen.name;
}

function noteOf(backends: ListedModel["backends"]): string {
  if (!backends.some(({ up }) => up)) return " (no host is up)";
  return backends.some(({ loaded }) => loaded) ? " (loaded)" : "";
}
