type Listed = { readonly name: string; readonly url: string };

/** Reads a list of hosts: `[name=]http(s)://host:port`, by commas. */
export function parseBackends(text: string): { backends: Listed[]; problems: string[] } {
  const found = text.split(",").map((part) => parseBackend(part.trim()));
  const problems = found.flatMap((backend, index) =>
    backend ? [] : [`entry ${index + 1} is not [name=]http(s)://host:port`],
  );
  const backends = found.filter((backend) => backend !== undefined);
  if (new Set(backends.map(({ name }) => name)).size < backends.length) {
    problems.push("two backends have one name");
  }
  return { backends, problems };
}

function parseBackend(text: string): Listed | undefined {
  const [, name, url = ""] = /^(?:([\w.-]+)=)?(https?:\/\/.+)$/.exec(text) ?? [];
  if (!URL.canParse(url)) return undefined;
  const { host, search, hash, username } = new URL(url);
  // Paths are appended to it, and credentials in it would be sent nowhere.
  if (search !== "" || hash !== "" || username !== "") return undefined;
  return { name: name ?? host, url: url.replace(/\/+$/, "") };
}
