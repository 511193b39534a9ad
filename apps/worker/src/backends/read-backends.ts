import { readFile } from "node:fs/promises";
import { parseBackends } from "./parse-backends.ts";
import type { BackendSettings } from "./backend.ts";

export type BackendSources = {
  readonly backends: readonly { name: string; url: string }[];
  /** A file that holds the list instead, and may change. */ readonly backendsPath: string | undefined;
  /** Slots of every model; undefined: learned. */ readonly slotsPerModel: number | undefined;
  /** Slots by `model` or `model@backend`. */ readonly slots: ReadonlyMap<string, number>;
};

/** The hosts this worker is to have now. Throws when the file cannot be read or does not parse. */
export async function readBackends(sources: BackendSources): Promise<BackendSettings[]> {
  const { backendsPath, slotsPerModel, slots } = sources;
  const listed =
    backendsPath === undefined ? sources.backends : readList(await readFile(backendsPath, "utf8"));
  return listed.map(({ name, url }) => ({
    name,
    url,
    slots: (model) => slots.get(`${model}@${name}`) ?? slots.get(model) ?? slotsPerModel,
  }));
}

/** As in OLLAMA_URLS, and by lines too; a line that begins with # is a remark. */
function readList(text: string): { name: string; url: string }[] {
  const lines = text.split("\n").map((line) => line.trim());
  const { backends, problems } = parseBackends(
    lines.filter((line) => line !== "" && !line.startsWith("#")).join(","),
  );
  if (problems.length > 0) throw new Error(problems.join("; "));
  return backends;
}
