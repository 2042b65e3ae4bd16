import type { EngineFlag } from "../model.ts";

/** `  -t, --tag name     text`, `      --layers    text`, `--pull string[="true"]   text`. */
const flagLine =
  /^\s+(?:-(?<short>\w), )?--(?<name>[a-z0-9-]+)(?: (?<type>\S+(?: or \S+)?))?(?:\s{2,}|$)/;

/** The flags that an engine's help names (cobra's form). */
export function parseHelpFlags(help: string): readonly EngineFlag[] {
  return help.split("\n").flatMap((line): readonly EngineFlag[] => {
    const groups = flagLine.exec(line)?.groups;
    if (groups?.["name"] === undefined) return [];
    const type = groups["type"];
    return [
      {
        name: groups["name"],
        short: groups["short"],
        takesValue: type !== undefined && !type.includes('[="'),
      },
    ];
  });
}
