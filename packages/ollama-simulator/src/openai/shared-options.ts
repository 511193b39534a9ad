import type { GoStruct } from "../http/go-struct.ts";

/** The options both completion endpoints know; there is no way to set num_ctx or keep_alive. */
export function sharedOptions(fields: GoStruct): Record<string, unknown> {
  const stop = fields.raw("stop");
  const options = {
    num_predict: fields.integer("max_tokens"),
    seed: fields.integer("seed"),
    temperature: fields.raw("temperature"),
    top_p: fields.raw("top_p"),
    frequency_penalty: fields.raw("frequency_penalty"),
    presence_penalty: fields.raw("presence_penalty"),
    stop: typeof stop === "string" ? [stop] : stop,
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
