/** Fetches, once, what to do about each failure code: the list is the server's. */
export function createFailureAdvice(url: URL): (code: string) => Promise<string | undefined> {
  let advice: Promise<Record<string, string>> | undefined;
  return async (code) => {
    advice ??= fetch(url)
      .then(async (answer) => (await answer.json()) as Record<string, string>)
      .catch(() => ({}));
    return (await advice)[code];
  };
}
