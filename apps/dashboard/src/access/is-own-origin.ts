/**
 * Whether a request that changes something was sent by a page of this site. Browsers say where a request comes
 * from and no page can make them lie; who says nothing at all is no browser of somebody who is logged in.
 *
 * @param headers names in lower case
 */
export function isOwnOrigin(headers: {
  "sec-fetch-site"?: string | undefined;
  origin?: string | undefined;
  host?: string | undefined;
}): boolean {
  const site = headers["sec-fetch-site"];
  if (site !== undefined) return site === "same-origin";
  // Plain HTTP on another machine: browsers send no Sec-Fetch-Site there.
  const { origin = "", host } = headers;
  return host !== undefined && URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
}
