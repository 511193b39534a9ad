import type { DeadLetter } from "@forebay/queue-contracts";
import { changeLetter } from "./change-letter.ts";
import type { DeadLetterCommand } from "./command.ts";
import { type Change, decideChange } from "./decide-change.ts";
import { factsOf, type LetterDeps, redriveLetter } from "./redrive-letter.ts";
import { eraseLetter } from "./remove-letters.ts";

/**
 * Does to one letter what a command says. Repeating it after a crash changes nothing more and answers `done`
 * where the first time answered `apply`.
 */
export async function applyCommand(
  deps: LetterDeps,
  command: DeadLetterCommand,
  actionId: string,
  id: string,
): Promise<Change> {
  switch (command.action) {
    case "redrive":
      return redriveLetter(deps, id, { actionId, target: command.target, patch: command.patch });
    case "park":
      return setState(deps, command, actionId, id, "parked");
    case "drop":
      return setState(deps, command, actionId, id, "dropped");
    case "erase":
      return (await eraseLetter(deps.space, id, actionId)) === "erased" ? "apply" : "missing";
  }
}

async function setState(
  deps: LetterDeps,
  command: DeadLetterCommand,
  actionId: string,
  id: string,
  state: DeadLetter["state"],
): Promise<Change> {
  const { action, target } = command;
  const changed = await changeLetter(
    deps.space,
    id,
    actionId,
    (letter, marks) => decideChange(action, actionId, target, id, factsOf(letter, marks)),
    (letter) => ({ ...letter, state }),
  );
  return typeof changed === "string" ? changed : "apply";
}
