import { chatMessageSchema, modelOptionsSchema } from "@forebay/queue-contracts";
import { z } from "zod";

export type JsonSchema = Record<string, unknown>;

/** Turns zod schemas into JSON Schemas of one document; those with a name are kept once and referred to. */
export type JsonSchemas = {
  /** @param io `input`: what may be sent; `output`: what is answered. */
  refer(schema: z.ZodType, io: "input" | "output"): JsonSchema;
  /** Every named schema met so far. */
  readonly components: Record<string, JsonSchema>;
};

export function createJsonSchemas(): JsonSchemas {
  const components: Record<string, JsonSchema> = {};
  nameForDocument(modelOptionsSchema, "ModelOptions");
  nameForDocument(chatMessageSchema, "ChatMessage");

  return {
    components,
    refer(schema, io) {
      const {
        $schema: _,
        $defs,
        ...root
      } = moveDefinitions(
        z.toJSONSchema(schema, {
          io,
          // A custom check says "any JSON" and has no other words in JSON Schema.
          unrepresentable: "any",
        }),
      );
      // A named schema met only as a whole comes without a definition of itself.
      const id = z.globalRegistry.get(schema)?.id;
      const definitions = {
        ...(id !== undefined && { [id]: root }),
        ...($defs as Record<string, JsonSchema> | undefined),
      };
      for (const [name, { id: __, ...definition }] of Object.entries(definitions))
        components[name] = definition;
      return id === undefined ? root : { $ref: `#/components/schemas/${id}` };
    },
  };
}

function moveDefinitions(schema: object): JsonSchema {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/')) as JsonSchema;
}

// Schemas of the contracts carry no names: two copies of that package in one process would clash.
function nameForDocument(schema: z.ZodType, id: string): void {
  const meta = z.globalRegistry.get(schema);
  if (meta?.id === undefined) z.globalRegistry.add(schema, { ...meta, id });
}
