import { exitStatuses, XbuildError } from "../../errors.ts";
import { suggestName } from "../../suggest.ts";

/** The error for a first word that names no command, and no context of a build. */
export function unknownCommand(word: string, commands: readonly string[]): XbuildError {
  const near = suggestName(word, commands);
  return new XbuildError(
    "context-not-found",
    `there is no command ${word}, and no directory of that name to build`,
    {
      hint:
        near === undefined ? "name a directory; see xbuild --help" : `did you mean xbuild ${near}?`,
      exitStatus: exitStatuses.usage,
    },
  );
}
