import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";

export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Each Set-Cookie header as it came. */
  readonly cookies: readonly string[];
  readonly text: string;
  json(): unknown;
};

type Asked = { headers?: Record<string, string>; body?: string };

/** What a browser does for one person, at the level of HTTP: keeps cookies, says where a request comes from. */
export type Visitor = {
  readonly cookies: Map<string, string>;
  send(method: string, path: string, asked?: Asked): Promise<Answer>;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  /** A form of the site's own page. */
  post(path: string, fields: Record<string, string>, headers?: Record<string, string>): Promise<Answer>;
  /** A call of the board's own page. */
  put(path: string, body?: unknown): Promise<Answer>;
  logIn(key: string, headers?: Record<string, string>): Promise<Answer>;
};

/** @param url of the board with its base path; paths are below it */
export function createVisitor(url: string): Visitor {
  const cookies = new Map<string, string>();

  async function send(method: string, path: string, asked: Asked = {}): Promise<Answer> {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { ...(cookie && { cookie }), ...asked.headers };
    // `agent: false`: a connection of its own, closed with the answer.
    const sent = request(`${url}${path}`, { method, headers, agent: false });
    sent.end(asked.body);
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    const body = await text(response);
    const set = response.headers["set-cookie"] ?? [];
    for (const line of set) keepCookie(cookies, line);
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      cookies: set,
      text: body,
      json: () => JSON.parse(body) as unknown,
    };
  }

  const own = { "sec-fetch-site": "same-origin" };
  const post: Visitor["post"] = (path, fields, headers = own) =>
    send("POST", path, {
      headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
      body: new URLSearchParams(fields).toString(),
    });
  return {
    cookies,
    send,
    post,
    get: (path, headers = {}) => send("GET", path, { headers }),
    put: (path, body = {}) =>
      send("PUT", path, {
        headers: {
          ...own,
          "content-type": "application/json",
          "x-xsrf-token": decodeURIComponent(cookies.get("XSRF-TOKEN") ?? ""),
        },
        body: JSON.stringify(body),
      }),
    async logIn(key, headers = own) {
      const answer = await post("/login", { key }, headers);
      // Loading the page is what gives a browser the token for changes.
      if (answer.status === 303) await send("GET", "/");
      return answer;
    },
  };
}

function keepCookie(cookies: Map<string, string>, line: string): void {
  const [pair = "", ...attributes] = line.split(";").map((part) => part.trim());
  const [name = "", value = ""] = pair.split(/=(.*)/s);
  if (attributes.some((attribute) => attribute.toLowerCase() === "max-age=0")) cookies.delete(name);
  else cookies.set(name, value);
}
