import { expect, it } from "vitest";
import { startBoard } from "./board-fixture.ts";
import { startProxy } from "./reverse-proxy.ts";
import { createVisitor } from "./visitor.ts";

it("behind a proxy the board stays below its path, with every link, redirect and cookie", async () => {
  await using board = await startBoard({ DASHBOARD_BASE_PATH: "/dashboard/" });
  await using proxy = await startProxy("/dashboard", board.port);
  const somebody = createVisitor(`${proxy.url}/dashboard`);

  const sent = await somebody.get("/queue/Dead%20letters");
  expect(sent.headers["location"]).toBe("/dashboard/login?next=%2Fdashboard%2Fqueue%2FDead%2520letters");
  expect((await somebody.get("/login")).text).toContain('action="/dashboard/login"');
  const login = await somebody.logIn((await board.makeKey("operator")).key);
  expect(login).toMatchObject({ status: 303, headers: { location: "/dashboard/" } });
  expect(login.cookies[0]).toContain("Path=/dashboard;");

  const page = await somebody.get("/");
  expect(page.status).toBe(200);
  expect(page.text).toContain('<base href="/dashboard/" />');
  const files = [...page.text.matchAll(/(?:src|href)="([^"]+\.(?:js|css|svg|png))"/g)].map(
    ([, path]) => path,
  );
  expect(files.length).toBeGreaterThan(5);
  for (const file of files) {
    const { pathname } = new URL(file ?? "", `${proxy.url}/dashboard/`);
    expect(pathname).toMatch(/^\/dashboard\//);
    expect(await somebody.get(pathname.replace("/dashboard", ""))).toMatchObject({ status: 200 });
  }
  expect((await somebody.get("/api/queues")).status).toBe(200);
});

it("the path without its last slash leads to the one with it, and the root to the path", async () => {
  await using board = await startBoard({ DASHBOARD_BASE_PATH: "/dashboard" });
  const direct = createVisitor(`http://127.0.0.1:${board.port}`);
  expect(await direct.get("/dashboard")).toMatchObject({ status: 308, headers: { location: "/dashboard/" } });
  expect(await direct.get("/")).toMatchObject({ status: 302, headers: { location: "/dashboard/" } });
  expect((await direct.get("/api/queues")).status).toBe(404);
  const somebody = await board.loggedIn("operator");
  expect((await somebody.get("/")).status).toBe(200);
  expect((await somebody.get("/job-schedulers/")).status).toBe(200);
});

it("files whose names change with their content are kept by the browser, pages are not", async () => {
  await using board = await startBoard();
  const somebody = await board.loggedIn("operator");
  const page = await somebody.get("/");
  const script = /src="(static\/js\/main[^"]+)"/.exec(page.text)?.[1] ?? "";
  expect((await somebody.get(`/${script}`)).headers["cache-control"]).toContain("immutable");
  expect((await somebody.get("/static/js/none.js")).headers["cache-control"]).toBe("no-store");
  expect(page.headers["cache-control"]).toBe("no-store");
});
