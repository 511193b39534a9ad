import { z } from "zod";
import type { Operation, Parameter } from "../../../openapi/operation.ts";
import { openaiRefusals } from "../openai-operations.ts";
import { fileViewSchema } from "./file-view.ts";

const id: Parameter = { name: "id", in: "path", description: "The file's id.", schema: z.string() };
const refusals = (statuses: Readonly<Record<number, string>>) => ({
  schema: openaiRefusals.schema,
  statuses: { 401: "A valid API key is needed.", 503: "The queue is away.", ...statuses },
});
const missing = { 404: "There is no such file, or it is another tenant's." };

export const fileOperations: readonly Operation[] = [
  {
    method: "post",
    path: "/v1/files",
    id: "createFile",
    tag: "openai",
    summary: "Upload the requests of a batch",
    description:
      "A form with the fields `purpose` (`batch`) and `file`, and, if wanted, `expires_after[anchor]` (`created_at`) and `expires_after[seconds]`. The file is JSON Lines, of up to 200 MB; what it says is looked at when a batch is made of it. An upload that breaks off leaves nothing behind.",
    body: {
      mediaType: "multipart/form-data",
      schema: z.object({ purpose: z.literal("batch"), file: z.string().meta({ format: "binary" }) }),
      examples: { batch: { purpose: "batch", file: "requests.jsonl" } },
    },
    answers: { 200: { description: "It is stored.", schema: fileViewSchema } },
    problems: [],
    refusals: refusals({
      400: "The form is wrong, or has no file.",
      413: "The file is too large.",
      415: "The body is no form.",
    }),
  },
  {
    method: "get",
    path: "/v1/files",
    id: "listFiles",
    tag: "openai",
    summary: "List files",
    parameters: [
      { name: "purpose", in: "query", description: "`batch` or `batch_output`.", schema: z.string() },
      { name: "limit", in: "query", description: "1 to 10,000; default 100.", schema: z.int() },
      { name: "order", in: "query", description: "By age: `desc` (default) or `asc`.", schema: z.string() },
      { name: "after", in: "query", description: "The id the page before ended with.", schema: z.string() },
    ],
    answers: { 200: { description: "The tenant's.", schema: pageOf(fileViewSchema) } },
    problems: [],
    refusals: refusals({ 400: "A parameter is wrong." }),
    curl: "curl -s http://127.0.0.1:8080/v1/files",
  },
  {
    method: "get",
    path: "/v1/files/{id}",
    id: "getFile",
    tag: "openai",
    summary: "What is known of a file",
    parameters: [id],
    answers: { 200: { description: "The file.", schema: fileViewSchema } },
    problems: [],
    refusals: refusals(missing),
  },
  {
    method: "get",
    path: "/v1/files/{id}/content",
    id: "getFileContent",
    tag: "openai",
    summary: "Read a file",
    description:
      "Output files can be read while their batch still writes them: whole lines, as many as there are.",
    parameters: [id],
    answers: { 200: { description: "Its bytes." } },
    problems: [],
    refusals: refusals(missing),
  },
  {
    method: "delete",
    path: "/v1/files/{id}",
    id: "deleteFile",
    tag: "openai",
    summary: "Erase a file",
    parameters: [id],
    answers: {
      200: {
        description: "It is gone.",
        schema: z.object({ id: z.string(), object: z.literal("file"), deleted: z.literal(true) }),
      },
    },
    problems: [],
    refusals: refusals({ ...missing, 409: "A batch that is not over uses it." }),
  },
];

function pageOf(item: z.ZodType): z.ZodType {
  return z.object({
    object: z.literal("list"),
    data: z.array(item),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
    has_more: z.boolean(),
  });
}
