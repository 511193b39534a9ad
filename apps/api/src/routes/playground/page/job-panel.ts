import { isFinalState, type JobError, type JobView } from "@forebay/client";
import { describeResult } from "./describe-result.ts";
import { element, make } from "./element.ts";
import { figuresOf } from "./figures.ts";
import { createGrowingText } from "./growing-text.ts";
import { showProblem } from "./show-problem.ts";
import { formatDuration, timelineOf } from "./timeline.ts";

/** The part of the page that shows one job. */
export type JobPanel = ReturnType<typeof createJobPanel>;

const endings = {
  completed: "The job is completed.",
  failed: "The job failed.",
  cancelled: "The job was cancelled.",
  expired: "The job expired: it could not begin in time.",
  timed_out: "The job ran out of time.",
};

/** @param adviceFor what to do about a failure, by its code */
export function createJobPanel(adviceFor: (code: string) => Promise<string | undefined>) {
  const html = (id: string): HTMLElement => element(id, HTMLElement);
  const [answer, thinking, notice, problem] = ["answer", "thinking", "notice", "job-problem"].map(html) as [
    HTMLElement,
    HTMLElement,
    HTMLElement,
    HTMLElement,
  ];
  const text = createGrowingText(answer);
  const thoughts = createGrowingText(html("thinking-text"));
  let shown: string | undefined;

  const say = (words: string): void => {
    html("announcement").textContent = words;
  };
  const showState = ({ state }: JobView): void => {
    const badge = html("state");
    badge.hidden = false;
    badge.dataset["state"] = state;
    badge.textContent = state.replace("_", " ");
    if (state === shown) return;
    shown = state;
    say(isFinalState(state) ? endings[state] : `The job is ${state}.`);
  };
  const showHistory = (job: JobView): void => {
    const created = Date.parse(job.created_at);
    const lines = timelineOf(job).map(({ at, text: what }, index) => {
      const when = index === 0 ? new Date(at).toLocaleTimeString() : `+${formatDuration(at - created)}`;
      return make("li", "", make("time", "", when), make("span", "", what));
    });
    html("history").hidden = false;
    html("timeline").replaceChildren(...lines);
  };
  const showFailure = async (job: JobView, error: JobError): Promise<void> => {
    const advice = await adviceFor(error.code);
    if (html("job-id").textContent !== job.job_id) return;
    const again = error.retryable ? " The same job, run again, may well succeed." : "";
    problem.hidden = false;
    problem.replaceChildren(
      make("strong", "", job.state === "failed" ? "The job failed" : endings.timed_out.replace(".", "")),
      make("p", "", error.message),
      make("p", "", `${advice ?? ""}${again}`),
      make("p", "hint", error.code),
    );
  };

  return {
    /** Makes room for a job; undefined: for none. */
    open(id: string | undefined): void {
      shown = undefined;
      html("job-id").textContent = id ?? "";
      html("empty").hidden = id !== undefined;
      html("job").toggleAttribute("data-open", id !== undefined);
      for (const each of ["state", "figures", "history", "cancel", "retry"]) html(each).hidden = true;
      for (const each of [answer, thinking, notice, problem]) each.hidden = true;
      text.clear();
      thoughts.clear();
      answer.setAttribute("aria-busy", String(id !== undefined));
    },
    show(job: JobView, tokensPerS: number | undefined): void {
      const final = isFinalState(job.state);
      showState(job);
      showHistory(job);
      const figures = figuresOf(job, { nowMs: Date.now(), tokensPerS });
      html("figures").hidden = false;
      html("figures").replaceChildren(
        ...figures.map(({ name, value }) => make("div", "", make("dt", "", name), make("dd", "", value))),
      );
      html("cancel").hidden = final;
      html("retry").hidden = !final || job.state === "completed";
      answer.hidden = job.state !== "active" && text.length === 0;
    },
    add(more: string, thought: string): void {
      text.add(more);
      if (thought === "") return;
      thinking.hidden = false;
      thoughts.add(thought);
    },
    /** What was shown is void: the answer begins anew. */
    drop(): void {
      text.clear();
      thoughts.clear();
      say("The answer begins again.");
    },
    end(job: JobView): void {
      const more = describeResult(job.result, text.length > 0);
      if (more !== "") text.add(text.length > 0 ? `\n\n${more}` : more);
      text.flush();
      thoughts.flush();
      this.show(job, undefined);
      notice.hidden = true;
      answer.setAttribute("aria-busy", "false");
      if (job.error && job.state !== "cancelled") void showFailure(job, job.error);
    },
    /** Something passing, such as a connection that is being made again; undefined: it has passed. */
    notice(words: string | undefined): void {
      notice.hidden = words === undefined;
      notice.textContent = words ?? "";
    },
    problem(error: unknown): void {
      showProblem(problem, error);
      answer.setAttribute("aria-busy", "false");
    },
  };
}
