import { createClient, type ForebayClient, ForebayError, type JobState, type Retry } from "@forebay/client";
import { describeRetry } from "./describe-problem.ts";
import { element } from "./element.ts";
import { createFailureAdvice } from "./failure-advice.ts";
import { followJob } from "./follow-job.ts";
import { createJobForm } from "./job-form.ts";
import { createJobPanel } from "./job-panel.ts";
import { createKeyForm } from "./key-form.ts";
import { showModels } from "./model-list.ts";
import { readJobForm } from "./read-job-form.ts";
import { showRecent } from "./recent-list.ts";
import { showProblem } from "./show-problem.ts";
import { createTabStore, whatOf } from "./tab-store.ts";

// The API is where this page is, also below a path of a proxy.
const baseUrl = new URL(".", location.href);
const store = createTabStore();
const panel = createJobPanel(createFailureAdvice(new URL("playground/failures.json", baseUrl)));
const keyForm = createKeyForm(store, () => void begin());
const jobForm = createJobForm(store, () => void submit());
const modelField = element("model", HTMLSelectElement);
const submitButton = element("submit", HTMLButtonElement);
const formProblem = element("form-problem", HTMLElement);
const awayMs = 5_000;
const modelsMs = 2_000;
let following = new AbortController();

const client = (): ForebayClient => createClient({ baseUrl, apiKey: store.key });
const currentId = (): string | undefined => location.hash.slice(1) || undefined;
const isRefusedKey = (error: unknown): boolean => error instanceof ForebayError && error.status === 401;

async function begin(): Promise<void> {
  following.abort();
  panel.open(undefined);
  if (await loadModels()) await openJob();
}

/** Asks for the models, which also tells whether the key is good. Returns whether the server has let us in. */
async function loadModels(): Promise<boolean> {
  try {
    const models = await client().models();
    showModels(modelField, models, modelField.value || (store.draft["model"] ?? ""));
    keyForm.show(false);
    showProblem(formProblem, undefined);
    // Workers announce themselves a moment after they have started.
    if (models.length === 0) setTimeout(() => void loadModels(), modelsMs);
    return true;
  } catch (error) {
    const refused = isRefusedKey(error);
    showProblem(formProblem, refused ? undefined : error);
    // Who has entered no key yet has done nothing wrong.
    if (refused) keyForm.show(true, store.key === undefined ? undefined : error);
    else setTimeout(() => void begin(), awayMs);
    return false;
  }
}

async function openJob(): Promise<void> {
  following.abort();
  following = new AbortController();
  const { signal } = following;
  const id = currentId();
  panel.open(id);
  showRecent(store.recent(), id);
  if (id === undefined) return;
  const onJob = ({ state }: { state: JobState }): void => {
    const known = store.recent().find((job) => job.id === id);
    if (known?.state === state) return;
    store.note({ id, state, what: known?.what ?? id });
    showRecent(store.recent(), id);
  };
  try {
    await followJob(client(), id, panel, { signal, onJob });
  } catch (error) {
    if (signal.aborted) return;
    panel.notice(undefined);
    panel.problem(error);
  }
}

async function submit(): Promise<void> {
  if (submitButton.disabled) return;
  submitButton.disabled = true;
  showProblem(formProblem, undefined);
  const fields = jobForm.fields();
  store.draft = fields;
  try {
    const job = readJobForm(fields);
    const onRetry = (retry: Retry): void => panel.notice(describeRetry(retry));
    const { job_id, state } = await client().submit(job, { onRetry });
    store.note({ id: job_id, state, what: whatOf(job) });
    location.hash = job_id;
    showJobPart();
  } catch (error) {
    if (isRefusedKey(error)) keyForm.show(true, error);
    else showProblem(formProblem, error);
  } finally {
    panel.notice(undefined);
    submitButton.disabled = false;
  }
}

/** On a phone the answer is below the form. */
function showJobPart(): void {
  const part = element("job", HTMLElement);
  if (part.getBoundingClientRect().top > innerHeight / 2) part.scrollIntoView({ block: "start" });
}

/** What a button of the job does; its error is shown with the job. */
function onClick(button: HTMLButtonElement, work: (id: string) => Promise<unknown>): void {
  const act = async (id: string): Promise<void> => {
    button.disabled = true;
    try {
      await work(id);
    } catch (error) {
      // It ended while the button was being pressed, which its stream tells as well.
      if (!(error instanceof ForebayError && error.code === "already_finished")) panel.problem(error);
    } finally {
      button.disabled = false;
    }
  };
  button.addEventListener("click", () => void act(currentId() ?? ""));
}

onClick(element("cancel", HTMLButtonElement), (id) => client().cancel(id));
onClick(element("retry", HTMLButtonElement), async (id) => {
  await client().retry(id);
  void openJob();
});
addEventListener("hashchange", () => void openJob());
void begin();
