import { element, make } from "./element.ts";
import type { RecentJob } from "./tab-store.ts";

export function showRecent(jobs: readonly RecentJob[], current: string | undefined): void {
  element("recent", HTMLElement).hidden = jobs.length === 0;
  const items = jobs.map(({ id, what, state }) => {
    const link = make("a", "", make("span", "what", what), make("span", "how", state.replace("_", " ")));
    link.href = `#${id}`;
    if (id === current) link.setAttribute("aria-current", "true");
    return make("li", "", link);
  });
  element("recent-list", HTMLElement).replaceChildren(...items);
}
