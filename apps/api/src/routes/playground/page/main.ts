import { createClient, type ForebayClient, ForebayError } from "@forebay/client";
import { element, make } from "./element.ts";
import { createFailureAdvice } from "./failure-advice.ts";
import { followJob } from "./follow-job.ts";
import { createJobPanel } from "./job-panel.ts";
import { showModels } from "./model-list.ts";
import { readJobForm } from "./read-job-form.ts";
import { showRecent } from "./recent-list.ts";
import { showProblem } from "./show-problem.ts";
import { createTabStore, whatOf } from "./tab-store.ts";

// The API is where this page is, also below a path of a proxy.
const baseUrl = new URL(".", location.href);
const store = createTabStore();
const panel = createJobPanel(createFailureAdvice(new URL("playground/failures.json", baseUrl)));
const keyForm = element("key-form", HTMLFormElement);
const keyField = element("key", HTMLInputElement);
const jobForm = element("job-form", HTMLFormElement);
const modelField = element("model", HTMLSelectElement);
const submitButton = element("submit", HTMLButtonElement);
const cancelButton = element("cancel", HTMLButtonElement);
const formProblem = element("form-problem", HTMLElement);

const client = (): ForebayClient => createClient({ baseUrl, apiKey: store.key });
const currentId = (): string | undefined => decodeURIComponent(location.hash.slice(1)) || undefined;
const formFields = (): Record<string, string> =>
  Object.fromEntries([...new FormData(jobForm)].map(([name, value]) => [name, String(value)]));

function showKeyStatus(refused: boolean): void {
  const status = element("key-status", HTMLElement);
  keyForm.hidden = !refused;
  if (refused) return status.replaceChildren("A key is needed.");
  if (store.key === undefined) return status.replaceChildren("No key is needed here.");
  const forget = make("button", "link", "Forget it");
  forget.type = "button";
  forget.addEventListener("click", () => {
    store.key = undefined;
    void begin();
  });
  status.replaceChildren(`Using the key ${store.key.slice(0, 6)}… `, forget);
}

/** Asks for the models, which also tells whether the key is good. */
async function loadModels(): Promise<boolean> {
  try {
    const models = await client().models();
    showModels(modelField, models, modelField.value || (store.draft["model"] ?? ""));
    showKeyStatus(false);
    showProblem(formProblem, undefined);
    // Workers announce themselves a moment after they have started.
    if (models.length === 0) setTimeout(() => void loadModels(), 2_000);
    return true;
  } catch (error) {
    const refused = error instanceof ForebayError && error.status === 401;
    showKeyStatus(refused);
    // Who has entered no key yet has done nothing wrong.
    if (!refused || store.key !== undefined) showProblem(formProblem, error);
    if (refused) keyField.focus();
    return false;
  }
}

let following = new AbortController();

async function openJob(): Promise<void> {
  following.abort();
  following = new AbortController();
  const { signal } = following;
  const id = currentId();
  panel.open(id);
  showRecent(store.recent(), id);
  if (id === undefined) return;
  const onJob = ({ state }: { state: Parameters<typeof store.note>[0]["state"] }): void => {
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
  const fields = formFields();
  store.draft = fields;
  submitButton.disabled = true;
  showProblem(formProblem, undefined);
  try {
    const job = readJobForm(fields);
    const { job_id, state } = await client().submit(job, {
      onRetry: ({ error, delayMs }) =>
        panel.notice(`${error.detail} Submitting again in ${Math.ceil(delayMs / 1_000)} s.`),
    });
    store.note({ id: job_id, state, what: whatOf(job) });
    location.hash = job_id;
    showJobPart();
  } catch (error) {
    if (error instanceof ForebayError && error.status === 401) showKeyStatus(true);
    showProblem(formProblem, error);
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
async function act(button: HTMLButtonElement, work: (id: string) => Promise<unknown>): Promise<void> {
  const id = currentId();
  if (id === undefined) return;
  button.disabled = true;
  try {
    await work(id);
  } catch (error) {
    // It ended while the button was being pressed, which its stream tells as well.
    if (!(error instanceof ForebayError && error.code === "already_finished")) panel.problem(error);
  } finally {
    button.disabled = false;
  }
}

async function begin(): Promise<void> {
  if (await loadModels()) await openJob();
  else panel.open(undefined);
}

keyForm.addEventListener("submit", (event) => {
  event.preventDefault();
  store.key = keyField.value.trim();
  keyField.value = "";
  void begin();
});
jobForm.addEventListener("submit", (event) => {
  event.preventDefault();
  void submit();
});
jobForm.addEventListener("input", () => (store.draft = formFields()));
element("prompt", HTMLTextAreaElement).addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) jobForm.requestSubmit();
});
cancelButton.addEventListener("click", () => void act(cancelButton, (id) => client().cancel(id)));
const retryButton = element("retry", HTMLButtonElement);
retryButton.addEventListener("click", () => {
  void act(retryButton, async (id) => {
    await client().retry(id);
    await openJob();
  });
});
addEventListener("hashchange", () => void openJob());

for (const [name, value] of Object.entries(store.draft)) {
  const field = jobForm.elements.namedItem(name);
  if (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) field.value = value;
  if (field instanceof HTMLSelectElement && name !== "model") field.value = value;
}
void begin();
