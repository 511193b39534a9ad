import { describeProblem } from "./describe-problem.ts";
import { make } from "./element.ts";

/** Shows an error in its place on the page; undefined takes it away. */
export function showProblem(place: HTMLElement, error: unknown): void {
  place.hidden = error === undefined;
  if (error === undefined) return place.replaceChildren();
  const { title, detail, advice, fields, trace } = describeProblem(error);
  place.replaceChildren(make("strong", "", title), make("p", "", detail));
  if (fields.length > 0) place.append(make("ul", "", ...fields.map((field) => make("li", "", field))));
  place.append(make("p", "", advice));
  if (trace !== undefined) place.append(make("p", "hint", trace));
}
