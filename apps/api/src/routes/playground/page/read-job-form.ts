import type { GenerateJob, Lane } from "@forebay/client";

/** The job a person has put together; what was left empty is left to the server. */
export function readJobForm(fields: Readonly<Record<string, string>>): GenerateJob {
  const { model = "", prompt = "", system = "", lane = "" } = fields;
  const options = {
    num_predict: numberOf(fields["num_predict"]),
    temperature: numberOf(fields["temperature"]),
  };
  return {
    model,
    prompt,
    ...(system.trim() !== "" && { system }),
    ...(lane !== "" && { lane: lane as Lane }),
    ...(Object.values(options).some((value) => value !== undefined) && {
      options: withoutUndefined(options),
    }),
  };
}

// Number("") is 0, which means something else than nothing.
const numberOf = (text: string | undefined): number | undefined =>
  text === undefined || text.trim() === "" ? undefined : Number(text);

function withoutUndefined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
