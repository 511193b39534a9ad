import { Command } from "ioredis";

/**
 * A script's command. ioredis writes one with bytes among its arguments piece by piece, which takes as long as all else
 * it does for a command; here what is text between them is written at once.
 */
export class ScriptCommand extends Command {
  declare readonly name: "evalsha" | "eval";

  constructor(name: ScriptCommand["name"], args: (string | number | Buffer)[]) {
    super(name, args, { replyEncoding: "utf8" });
  }

  override toWritable(): string | Buffer {
    const parts: Buffer[] = [];
    let text = `*${this.args.length + 1}\r\n$${this.name.length}\r\n${this.name}\r\n`;
    for (const arg of this.args) {
      if (Buffer.isBuffer(arg)) {
        parts.push(Buffer.from(`${text}$${arg.length}\r\n`), arg);
        text = "\r\n";
      } else {
        const argument = String(arg);
        text += `$${Buffer.byteLength(argument)}\r\n${argument}\r\n`;
      }
    }
    return parts.length === 0 ? text : Buffer.concat([...parts, Buffer.from(text)]);
  }
}
