/** Where to go after the login: a path of the board, or its start page for anything else. */
export function nextPath(asked: string | undefined, basePath: string): string {
  const home = `${basePath}/`;
  // "//evil" and "/\evil" are other hosts to a browser, which parsing finds out.
  if (!asked?.startsWith(home) || !URL.canParse(asked, "http://board")) return home;
  const { origin, pathname, search } = new URL(asked, "http://board");
  return origin === "http://board" && pathname.startsWith(home) ? pathname + search : home;
}
