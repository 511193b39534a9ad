import { OpenaiRefusal } from "@forebay/openai-format";
import { type Page, PagePositionError, type PageQuery } from "@forebay/queue-bullmq";
import { readQuery } from "../../../http/query.ts";

/** The query of a list as OpenAI's SDKs send it. Throws Problem, OpenaiRefusal. */
export function readPageQuery(
  url: string,
  bounds: { preset: number; max: number; more?: readonly string[] },
): PageQuery {
  const names = ["limit", "order", "after", ...(bounds.more ?? [])];
  const query = readQuery(url, (name) => names.includes(name));
  const limit = Number(query.get("limit") ?? bounds.preset);
  if (!Number.isInteger(limit) || limit < 1 || limit > bounds.max) {
    throw new OpenaiRefusal(400, `limit: must be 1 to ${bounds.max}.`, { param: "limit" });
  }
  const order = query.get("order") ?? "desc";
  if (order !== "asc" && order !== "desc") {
    throw new OpenaiRefusal(400, 'order: must be "asc" or "desc".', { param: "order" });
  }
  return { limit, order, after: query.get("after"), purpose: query.get("purpose") };
}

/** A page as OpenAI's SDKs read it. Throws OpenaiRefusal for a position that is not in the list. */
export async function answerPage<T extends { id: string }>(
  reading: Promise<Page<T>>,
  view: (item: T) => object,
): Promise<object> {
  try {
    const { items, more } = await reading;
    const [first, last] = [items[0]?.id ?? null, items.at(-1)?.id ?? null];
    return { object: "list", data: items.map(view), first_id: first, last_id: last, has_more: more };
  } catch (error) {
    if (!(error instanceof PagePositionError)) throw error;
    throw new OpenaiRefusal(400, "after: is not the id of an entry of this list.", { param: "after" });
  }
}
