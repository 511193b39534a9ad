import type { Job, RedisQueueBackend } from "bullmq";
import type { OpenedStart } from "../consumer/fenced-record.ts";
import { deadlinesKey } from "../control/deadlines.ts";
import { tenantKeys } from "../jobs/tenant-index.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { etaKey } from "../scheduling/eta-factors.ts";
import { fairKeys } from "../scheduling/fair-keys.ts";
import { type Forecast, parseForecast } from "../scheduling/note-dispatch.ts";
import {
  fetchArgs,
  fetchKeys,
  finishArgs,
  finishKeys,
  runFetchScript,
  runFinishScript,
} from "./turnover-scripts.ts";

/** What is written with the end of a job that completed. */
export type Ending = {
  /** JSON line for the record of starts. */ readonly line: string;
  /** How long a slot was held. */ readonly usedMs: number;
  readonly tokens: number;
  /** All of the answer, as JSON data of a token, where nothing of it is in the log; "" = all of it is. */
  readonly answer: string;
  /** Number of the log's last entry. */ readonly after: number;
  readonly attempt: number;
  readonly channel: string;
  /** undefined: the payload names no tenant. */
  readonly index: { readonly tenant: string; readonly score: number } | undefined;
  readonly hasDeadline: boolean;
};

/** `forecast` undefined: the job was put without a tag, and its flow was not charged yet. */
export type FetchedStart = OpenedStart & {
  readonly forecast: Forecast | undefined;
  /** Which of the job's starts it is, as BullMQ counts them. */ readonly number: number;
};

/**
 * What rides along with BullMQ's two commands that give this worker a job: the end of the job before, and the
 * beginning of the next one.
 */
export type Turnover = {
  /** Where the job taken with this token will run. */ expect(
    token: string,
    backend: string | undefined,
  ): void;
  /** How the job locked with this token ended; BullMQ is about to be told. */
  end(token: string, ending: Ending): void;
  /** This start, if the command that took the job opened it, once; undefined: another command took it. */
  opened(job: Job): FetchedStart | undefined;
  forget(token: string): void;
  /** Lets the commands of this backend carry it. */ ride(backend: RedisQueueBackend): RedisQueueBackend;
};

type Command = { readonly keys: string[]; readonly args: (string | number | Buffer)[] };

export function createTurnover(space: QueueSpace, queueName: string, worker: string): Turnover {
  const backends = new Map<string, string>();
  const endings = new Map<string, Ending>();
  const starts = new Map<string, FetchedStart>();
  const { fair, flows } = fairKeys(space);
  const shares = [fair, flows, etaKey(space)];
  const by = JSON.stringify(worker);
  const next = (token: string): string[] => [by, backends.get(token) ?? "", queueName, `${space.prefix}:`];

  const keep = ([opened, reply]: Reply): unknown => {
    if (opened && Array.isArray(reply)) {
      const [fields, id] = reply as [string[], string];
      starts.set(id, describeStart(opened, fields));
    }
    return reply ?? undefined;
  };
  const fetch = async ({ keys, args }: Command, token: string): Promise<unknown> =>
    keep((await runFetchScript(space.client, [...keys, ...shares], [...args, ...next(token)])) as Reply);
  const finish = async ({ keys, args }: Command, token: string, ending?: Ending): Promise<unknown> => {
    const index = ending?.index && tenantKeys(space, ending.index.tenant);
    const ownKeys = [...shares, deadlinesKey(space), ...(index ? [index.open, index.ended] : [])];
    const ownArgs = [...endingArgs(token, ending), ...next(token)];
    return keep((await runFinishScript(space.client, [...keys, ...ownKeys], [...args, ...ownArgs])) as Reply);
  };

  return {
    expect(token, on) {
      if (on === undefined) backends.delete(token);
      else backends.set(token, JSON.stringify(on));
    },
    end: (token, ending) => void endings.set(token, ending),
    opened({ id = "", attemptsStarted }) {
      const start = starts.get(id);
      starts.delete(id);
      // One that was opened and never run says nothing of a later one.
      return start?.number === attemptsStarted ? start : undefined;
    },
    forget(token) {
      backends.delete(token);
      endings.delete(token);
    },
    ride(backend) {
      const { moveToActive, moveToCompleted, moveToFailed, moveToDelayed } = backend;
      const fetching = (token: string) =>
        replacing(backend, "moveToActive", fetchKeys, fetchArgs, (command) => fetch(command, token));
      const finishing = (token: string, ending?: Ending) =>
        replacing(backend, "moveToFinished", finishKeys, finishArgs, (command) =>
          finish(command, token, ending),
        );
      backend.moveToActive = (token, by) => moveToActive.call(fetching(token), token, by);
      backend.moveToCompleted = (job, value, remove, token, fetchNext) =>
        moveToCompleted.call(finishing(token, endings.get(token)), job, value, remove, token, fetchNext);
      backend.moveToFailed = (job, reason, remove, token, fetchNext, fields) =>
        moveToFailed.call(finishing(token), job, reason, remove, token, fetchNext, fields);
      // BullMQ would take the next job in the same command, and not by ours.
      backend.moveToDelayed = async (id, timestamp, delay, token, opts) => {
        const moved = await moveToDelayed.call(backend, id, timestamp, delay, token, {
          ...opts,
          fetchNext: false,
        });
        return opts?.fetchNext ? backend.moveToActive(token ?? "", worker) : moved;
      };
      return backend;
    },
  };
}

/** The backend for one call, whose command of this name is run by `run`. */
function replacing(
  backend: RedisQueueBackend,
  name: string,
  keys: number,
  args: number,
  run: (command: Command) => Promise<unknown>,
): RedisQueueBackend {
  const call = Object.create(backend) as RedisQueueBackend;
  call.execCommand = (client, called, all: (string | Buffer)[]): unknown => {
    if (called !== name) return backend.execCommand(client, called, all);
    // What BullMQ leaves undefined its own client sends as an empty text.
    const own = Array.from({ length: args }, (_, index) => all[keys + index] ?? "");
    return run({ keys: all.slice(0, keys) as string[], args: own });
  };
  return call;
}

type Reply = [opened: [nowMs: number, seq: number, told: string | null] | null, reply: unknown];

function describeStart([nowMs, seq, told]: NonNullable<Reply[0]>, fields: readonly string[]): FetchedStart {
  const field = (name: string): string => {
    for (let at = 0; at < fields.length; at += 2) if (fields[at] === name) return fields[at + 1] ?? "";
    return "";
  };
  const start = { earlier: field("starts"), kept: field("kept"), stop: field("stop"), nowMs, seq };
  const number = Number(field("ats"));
  return { ...start, number, forecast: told === null ? undefined : parseForecast(field("share"), told) };
}

function endingArgs(token: string, ending: Ending | undefined): (string | number)[] {
  if (!ending) return ["", "", "", "", "", "", "", "", "", ""];
  const { line, usedMs, tokens, answer, after, attempt, channel, index, hasDeadline } = ending;
  return [
    token,
    line,
    usedMs,
    tokens,
    answer,
    after,
    attempt,
    channel,
    index?.score ?? "",
    hasDeadline ? "1" : "",
  ];
}
