import { createBullBoard } from "@bull-board/api";
import type { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { HonoAdapter } from "@bull-board/hono";
import type { QueueDirectory, QueueSpace } from "@forebay/queue-bullmq";
import { affinityKey } from "@forebay/queue-contracts";
import { serveStatic } from "@hono/node-server/serve-static";
import type { Hono } from "hono";
import type { DashboardEvents } from "../events.ts";
import { InferenceQueueAdapter } from "./inference-queue-adapter.ts";
import { createInternalQueues } from "./internal-queues.ts";
import { createQueueWorkers } from "./read-queue-workers.ts";

export type Board = {
  /** Bull Board's pages and API, to be mounted at the base path. */
  readonly routes: Hono;
  /** Puts the queues of the directory on the board; entries are only ever added. */
  sync(): Promise<void>;
};

export type BoardOptions = {
  space: QueueSpace;
  directory: QueueDirectory;
  basePath: string;
  readOnly: boolean;
  events: DashboardEvents;
};

/** From the base path, as the page says. */
const icon = "assets/icon.svg";

export function createBoard({ space, directory, basePath, readOnly, events }: BoardOptions): Board {
  const server = new HonoAdapter(serveStatic).setBasePath(basePath || "/");
  const queues = new Map<string, BullMQAdapter>();
  const workersOf = createQueueWorkers(space);
  const board = createBullBoard({
    queues: createInternalQueues(space),
    serverAdapter: server,
    options: {
      uiConfig: {
        boardTitle: "Forebay",
        boardLogo: { path: icon, width: 24, height: 24 },
        favIcon: { default: icon, alternative: icon },
        hideDocsLink: true,
        sortQueues: true,
      },
    },
  });

  return {
    routes: server.registerPlugin(),
    async sync() {
      for (const entry of await directory.list()) {
        if (queues.has(entry.name)) continue;
        const workers = () => workersOf(entry.model);
        const adapter = new InferenceQueueAdapter(space, entry, { readOnly, workers });
        queues.set(entry.name, adapter);
        board.addQueue(adapter);
        events.queueShown(entry.name, affinityKey(entry));
      }
    },
  };
}
