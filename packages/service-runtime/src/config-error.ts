import { StartError } from "./start-error.ts";

/** Every problem of a configuration at once, so that one restart is enough to mend them all. */
export class ConfigError extends StartError {
  override readonly code = "config_invalid";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      "config_invalid",
      ["The configuration cannot be used:", ...problems.map((problem) => `  ${problem}`)].join("\n"),
    );
    this.name = "ConfigError";
    this.problems = problems;
    // Whoever reads this set a variable wrong; where in our code it was noticed does not help them.
    this.stack = this.message;
  }
}
