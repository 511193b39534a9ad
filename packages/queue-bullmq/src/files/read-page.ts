import type { QueueSpace } from "../queues/queue-space.ts";

export type PageQuery = {
  readonly limit: number;
  readonly order: "asc" | "desc";
  /** The id the page before this one ended with. */ readonly after?: string | undefined;
  /** Only those that match; undefined: all. */ readonly purpose?: string | undefined;
};
export type Page<T> = { readonly items: readonly T[]; readonly more: boolean };

/** Thrown when `after` is no id of the list. */
export class PagePositionError extends Error {
  readonly code = "page_position";
}

const chunkSize = 100;

/** A page of what a sorted set of ids leads to; ids whose record is gone are passed over. */
export async function readPage<T extends object>(
  space: QueueSpace,
  indexKey: string,
  query: PageQuery,
  find: (id: string) => Promise<T | undefined>,
): Promise<Page<T>> {
  const { limit, order, after, purpose } = query;
  let rank = await rankAfter(space, indexKey, order, after);
  const items: T[] = [];
  for (;;) {
    const end = rank + chunkSize - 1;
    const ids = await (order === "asc"
      ? space.client.zrange(indexKey, String(rank), String(end))
      : space.client.zrevrange(indexKey, rank, end));
    for (const found of await Promise.all(ids.map(find))) {
      const wanted = found && (purpose === undefined || ("purpose" in found && found.purpose === purpose));
      if (!wanted) continue;
      if (items.length === limit) return { items, more: true };
      items.push(found);
    }
    if (ids.length < chunkSize) return { items, more: false };
    rank += chunkSize;
  }
}

async function rankAfter(
  space: QueueSpace,
  indexKey: string,
  order: "asc" | "desc",
  after: string | undefined,
): Promise<number> {
  if (after === undefined) return 0;
  const rank = await (order === "asc"
    ? space.client.zrank(indexKey, after)
    : space.client.zrevrank(indexKey, after));
  if (rank === null) throw new PagePositionError("there is no such id in the list");
  return rank + 1;
}
