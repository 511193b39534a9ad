import type { JobState, NewJob } from "@forebay/client";

export type RecentJob = { id: string; what: string; state: JobState };

/** What this tab remembers, until it is closed. */
export type TabStore = {
  key: string | undefined;
  recent(): RecentJob[];
  /** Adds a job in front, or notes its new state. */
  note(job: RecentJob): void;
  draft: Record<string, string>;
};

const [keyName, jobsName, draftName] = ["forebay.key", "forebay.jobs", "forebay.draft"];
const recentMax = 12;

export function createTabStore(): TabStore {
  const read = <T>(name: string, preset: T): T => {
    try {
      return (JSON.parse(sessionStorage.getItem(name) ?? "null") as T | null) ?? preset;
    } catch {
      return preset;
    }
  };
  const write = (name: string, value: unknown): void => {
    try {
      if (value === undefined) sessionStorage.removeItem(name);
      else sessionStorage.setItem(name, JSON.stringify(value));
    } catch {
      // A browser that keeps nothing: the page works, and forgets.
    }
  };
  let key = read<string | undefined>(keyName, undefined);
  let jobs = read<RecentJob[]>(jobsName, []);
  let draft = read<Record<string, string>>(draftName, {});
  return {
    get key() {
      return key;
    },
    set key(value) {
      key = value;
      write(keyName, value);
    },
    recent: () => jobs,
    note(job) {
      const known = jobs.some(({ id }) => id === job.id);
      jobs = known
        ? jobs.map((each) => (each.id === job.id ? { ...each, state: job.state } : each))
        : [job, ...jobs].slice(0, recentMax);
      write(jobsName, jobs);
    },
    get draft() {
      return draft;
    },
    set draft(value) {
      draft = value;
      write(draftName, value);
    },
  };
}

/** A few words to recognise a job by. */
export function whatOf(job: NewJob): string {
  const text = "prompt" in job ? job.prompt : "a job";
  return text.replace(/\s+/g, " ").trim().slice(0, 80);
}
