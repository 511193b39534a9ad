import { z } from "zod";
import { type ProblemCode, problemCodes } from "../http/problem-codes.ts";
import { problemSchema } from "../http/problem-schema.ts";
import { createJsonSchemas, type JsonSchema, type JsonSchemas } from "./json-schemas.ts";
import type { Answer, Operation, Parameter } from "./operation.ts";

export type OpenApiDocument = {
  readonly openapi: "3.1.0";
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly [more: string]: unknown;
};

/** Refusals that every operation behind a key may answer with. */
const anyProblems: readonly ProblemCode[] = ["unauthorized", "queue_unavailable", "internal_error"];

/** The OpenAPI 3.1 document of these operations, its schemas made from the ones that parse requests. */
export function createDocument(
  info: OpenApiDocument["info"],
  operations: readonly Operation[],
): OpenApiDocument {
  const schemas = createJsonSchemas();
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    const path = (paths[operation.path] ??= {});
    path[operation.method] = describeOperation(operation, schemas);
  }
  return {
    openapi: "3.1.0",
    info,
    servers: [{ url: "/" }],
    security: [{ bearer: [] }, { apiKey: [] }],
    paths,
    components: {
      schemas: schemas.components,
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer" },
        apiKey: { type: "apiKey", in: "header", name: "X-API-Key" },
      },
    },
  };
}

function describeOperation(operation: Operation, schemas: JsonSchemas): JsonSchema {
  const { id, tag, summary, description, parameters = [], body, open } = operation;
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    ...(open && { security: [] }),
    ...(parameters.length > 0 && { parameters: parameters.map((each) => describeParameter(each, schemas)) }),
    ...(body && {
      requestBody: {
        required: true,
        content: {
          [body.mediaType ?? "application/json"]: {
            schema: schemas.refer(body.schema, "input"),
            examples: examplesOf(body),
          },
        },
      },
    }),
    responses: describeAnswers(operation, schemas),
  };
}

function examplesOf({ examples }: NonNullable<Operation["body"]>): JsonSchema {
  return Object.fromEntries(Object.entries(examples).map(([name, value]) => [name, { value }]));
}

function describeParameter(
  { name, in: place, description, schema }: Parameter,
  schemas: JsonSchemas,
): JsonSchema {
  return {
    name,
    in: place,
    description,
    required: place === "path",
    schema: schemas.refer(schema, "input"),
  };
}

function describeAnswers(operation: Operation, schemas: JsonSchemas): JsonSchema {
  const answers: JsonSchema = {};
  for (const [status, answer] of Object.entries(operation.answers)) {
    answers[status] = describeAnswer(answer, schemas);
  }
  for (const [status, description] of Object.entries(operation.refusals?.statuses ?? {})) {
    answers[status] = describeAnswer({ description, schema: operation.refusals?.schema }, schemas);
  }
  if (operation.refusals) return answers;
  const codes = operation.open ? operation.problems : [...operation.problems, ...anyProblems];
  for (const [status, sharing] of Map.groupBy(codes, (code) => problemCodes[code].status)) {
    const lines = sharing.map((code) => `- \`${code}\`: ${problemCodes[code].title}.`);
    answers[status] = {
      description: lines.join("\n"),
      ...(status === 429 || status === 503
        ? { headers: describeHeaders({ "Retry-After": retryAfterText }) }
        : {}),
      content: { "application/problem+json": { schema: schemas.refer(problemSchema, "output") } },
    };
  }
  return answers;
}

function describeAnswer({ description, schema, headers }: Answer, schemas: JsonSchemas): JsonSchema {
  return {
    description,
    ...(headers && { headers: describeHeaders(headers) }),
    ...(schema && { content: { "application/json": { schema: schemas.refer(schema, "output") } } }),
  };
}

const retryAfterText =
  "Seconds. For `backlog_full` a time of the caller's own: the same request made then is let in before new ones.";

function describeHeaders(headers: Readonly<Record<string, string>>): JsonSchema {
  const text = z.toJSONSchema(z.string());
  const { $schema: _, ...schema } = text;
  return Object.fromEntries(
    Object.entries(headers).map(([name, description]) => [name, { description, schema }]),
  );
}
