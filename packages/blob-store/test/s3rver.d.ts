declare module "s3rver" {
  import type { AddressInfo } from "node:net";

  type Context = { method: string; query: Record<string, string>; status: number };
  type Options = {
    port: number;
    directory: string;
    silent: boolean;
    configureBuckets: readonly { name: string }[];
  };
  /** A Koa app. */
  class S3rver {
    middleware: ((context: Context, next: () => Promise<void>) => Promise<void>)[];
    constructor(options: Options);
    run(): Promise<AddressInfo>;
    close(): Promise<void>;
  }
  export = S3rver;
}
