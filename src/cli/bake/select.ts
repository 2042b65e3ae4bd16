import { suggestName } from "../../suggest.ts";
import { listSome } from "../../text.ts";
import { usageError } from "../line/arguments.ts";
import { assertChain, refuseUnknown } from "./chains.ts";
import type { Config } from "./config.ts";
import { enter } from "./document.ts";
import { isPattern, matchesPattern } from "./glob.ts";
import type { BakeGroup } from "./schema.ts";

/** The targets and groups that words of the command line name. Errors: `usage`. */
export function matchNames(config: Config, names: readonly string[]): readonly string[] {
  const known = [...new Set([...config.groups.keys(), ...config.targets.keys()])];
  const found = names.flatMap((given) => {
    // A Compose service may have a dot in its name; buildx calls it so.
    const name = given.replaceAll(".", "_");
    const matching = isPattern(name) ? known.filter((one) => matchesPattern(name, one)) : [name];
    if (matching.length > 0 && matching.every((one) => known.includes(one))) return matching;
    const near = suggestName(name, known);
    const shown = known.length === 0 ? "add one to the file" : `name one of ${listSome(known)}`;
    throw usageError(
      `there is no target or group ${given} in the bake file`,
      near === undefined ? shown : `did you mean ${near}?`,
    );
  });
  return [...new Set(found)];
}

interface Selection {
  readonly targets: Set<string>;
  readonly groups: Set<string>;
}

/** The targets of these names and of their groups. Errors: `bake-file-invalid`. */
export function selectTargets(config: Config, names: readonly string[]): Selection {
  const selected = { targets: new Set<string>(), groups: new Set<string>() };
  const select = (name: string, chain: readonly string[]): void => {
    const group = config.groups.get(name);
    // A group comes before a target of its name, but for what it lists itself.
    if (group === undefined || (chain.includes(name) && config.targets.has(name))) {
      selected.targets.add(name);
      return;
    }
    assertChain(chain, name, { what: "groups", place: group.place });
    if (selected.groups.has(name)) return;
    selected.groups.add(name);
    group.value.targets.forEach((one, index) => {
      if (!config.groups.has(one) && !config.targets.has(one))
        throw refuseUnknown(one, [...config.targets.keys()], enter(group.place, "targets", index));
      select(one, [...chain, name]);
    });
  };
  for (const name of names) select(name, []);
  return selected;
}

/** As `docker buildx bake --print` lists them. */
export function listGroups(
  { groups }: Config,
  asked: readonly string[],
  selected: ReadonlySet<string>,
): ReadonlyMap<string, BakeGroup> {
  const shown = new Map(
    [...selected].flatMap((name) => {
      const group = groups.get(name);
      return group === undefined ? [] : [[name, group.value] as const];
    }),
  );
  const own = shown.get("default");
  const added = own === undefined ? asked : asked.filter((name) => name !== "default");
  const targets = [...new Set([...(own?.targets ?? []), ...added])].sort();
  return shown.set("default", { ...own, targets });
}
