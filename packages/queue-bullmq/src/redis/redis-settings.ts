import { z } from "zod";

/**
 * Where Redis is, as environment variables; spread into an app's config schema.
 * `REDIS_URL`: `redis://[user:password@]host:port[/db]`, or `rediss://` for TLS.
 */
export const redisEnvShape = {
  REDIS_URL: z
    .url({
      protocol: /^rediss?$/,
      error: "must be a URL such as redis://127.0.0.1:6379 or rediss://host:6380",
    })
    .default("redis://127.0.0.1:6379"),
  /** Kept apart from the URL so that it can come from a file. */
  REDIS_PASSWORD: z.string().optional(),
  /** Begins every key: two stacks with different prefixes can share one Redis. */
  FOREBAY_KEY_PREFIX: z
    .string()
    .regex(/^[\w.-]{1,32}$/, { error: "must be 1-32 letters, digits or . _ -" })
    .default("forebay"),
};

export type RedisSettings = {
  readonly url: string;
  readonly password?: string | undefined;
  readonly prefix: string;
};

export function redisSettings(env: {
  REDIS_URL: string;
  REDIS_PASSWORD?: string | undefined;
  FOREBAY_KEY_PREFIX: string;
}): RedisSettings {
  return { url: env.REDIS_URL, password: env.REDIS_PASSWORD, prefix: env.FOREBAY_KEY_PREFIX };
}
