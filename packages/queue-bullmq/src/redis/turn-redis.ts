import { type Command, Redis, type RedisOptions } from "ioredis";

/**
 * A connection whose commands of one turn of the event loop leave in one write. The kernel's part in a write is
 * most of what a short command costs, and a busy process gives many commands per turn. Unlike ioredis's own
 * auto-pipelining it does not hold commands back until earlier ones are answered, and makes no Pipeline: with
 * BullMQ's scripts defined on a connection, making one copies a hundred methods.
 */
export class TurnRedis extends Redis {
  private turnIsCorked = false;

  constructor(url: string, options: Omit<RedisOptions, "replyMapping"> = {}) {
    super(url, options);
  }

  override sendCommand(...args: [command: Command, stream?: Parameters<Redis["sendCommand"]>[1]]): unknown {
    this.corkTurn();
    return super.sendCommand(...args);
  }

  private corkTurn(): void {
    // Not yet connected: the command waits or fails, and is not written now.
    const stream = this.stream as Redis["stream"] | undefined;
    if (this.turnIsCorked || !stream) return;
    this.turnIsCorked = true;
    stream.cork();
    setImmediate(() => {
      this.turnIsCorked = false;
      stream.uncork();
    });
  }
}
