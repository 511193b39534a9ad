import { Hono } from "hono";
import type { ApiEnv } from "../../../http/api-env.ts";
import { createFile } from "./create-file.ts";
import type { FileDeps } from "./file-deps.ts";
import { deleteFile, getFile, getFileContent, listFiles } from "./read-files.ts";

/** `/v1/files` */
export function createFileRoutes(deps: FileDeps): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  routes.post("/", createFile(deps));
  routes.get("/", listFiles(deps));
  routes.get("/:id", getFile(deps));
  routes.get("/:id/content", getFileContent(deps));
  routes.delete("/:id", deleteFile(deps));
  return routes;
}
