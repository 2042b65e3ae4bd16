import type { Flag, Instruction, Reference, ResolveOptions, Stage } from "./model.ts";

/** What names in a file can stand for. */
export interface Names {
  readonly buildContexts: ResolveOptions["buildContexts"];
  readonly stages: readonly Stage[];
  /** By name in lower case, in the order of the file. */
  readonly stagesByName: ReadonlyMap<string, readonly Stage[]>;
}

export function createNames(
  stages: readonly Stage[],
  buildContexts: Names["buildContexts"],
): Names {
  const stagesByName = new Map<string, Stage[]>();
  for (const stage of stages) {
    if (stage.name === undefined) continue;
    const namesakes = stagesByName.get(stage.name);
    if (namesakes === undefined) stagesByName.set(stage.name, [stage]);
    else namesakes.push(stage);
  }
  return { buildContexts, stages, stagesByName };
}

/** A name in FROM: a build context, an earlier stage's name, `scratch`, or an image. */
export function resolveBase(name: string, stage: Stage, names: Names): Reference {
  if (names.buildContexts.has(name)) return { kind: "context", name };
  const base = findStage(name, names, stage.index);
  if (base !== undefined) return { kind: "stage", index: base.index };
  return name === "scratch" ? { kind: "scratch" } : { kind: "image", name };
}

/** A name in `--from` or a mount's `from` of a stage: also a stage's number, and a stage further down. */
export function resolveFrom(name: string, stage: Stage, names: Names): Reference {
  if (names.buildContexts.has(name)) return { kind: "context", name };
  const used =
    findStage(name, names, stage.index) ?? findStage(name, names) ?? findNumbered(name, names);
  if (used !== undefined) return { kind: "stage", index: used.index };
  return name === "scratch" ? { kind: "scratch" } : { kind: "image", name };
}

/** The last stage of that name before another's index, for a later one hides an earlier one. */
export function findStage(name: string, names: Names, before = Infinity): Stage | undefined {
  const stages = names.stagesByName.get(name.toLowerCase()) ?? [];
  let low = 0;
  let high = stages.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((stages[middle]?.index ?? Infinity) < before) low = middle + 1;
    else high = middle;
  }
  return stages[low - 1];
}

export function findNumbered(name: string, { stages }: Names): Stage | undefined {
  return /^[0-9]+$/.test(name) ? stages[Number(name)] : undefined;
}

/** A flag that names another stage or image. */
export interface FromFlag {
  readonly flag: Flag;
  /** As written. */
  readonly name: string;
}

/** The flags of an instruction that name another stage or image. */
export function findFromFlags({ keyword, flags }: Instruction): FromFlag[] {
  if (keyword === "COPY" || keyword === "ADD") {
    return flags.flatMap((flag) =>
      flag.name === "from" && flag.value !== undefined ? [{ flag, name: flag.value }] : [],
    );
  }
  if (keyword !== "RUN") return [];
  return flags.flatMap((flag) => {
    const name = readMount(flag)?.get("from");
    return name === undefined || name === "" ? [] : [{ flag, name }];
  });
}

/** The fields of `RUN --mount=`, keys in lower case, the last of a key counts; undefined for another flag. */
export function readMount(flag: Flag): ReadonlyMap<string, string> | undefined {
  if (flag.name !== "mount" || flag.value === undefined) return undefined;
  return new Map(
    splitCsv(flag.value).map((field): [string, string] => {
      const equals = field.indexOf("=");
      return equals === -1
        ? [field.toLowerCase(), ""]
        : [nameField(field.slice(0, equals).toLowerCase()), field.slice(equals + 1)];
    }),
  );
}

function nameField(key: string): string {
  return key === "src" ? "source" : key;
}

/** One record of comma-separated values: a field may stand in double quotes, two of them are one. */
function splitCsv(text: string): string[] {
  return Array.from(text.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g), (match) =>
    match[1] === undefined ? (match[2] ?? "") : match[1].replaceAll('""', '"'),
  );
}

/** Whether it binds a part of the build context. */
export function isContextMount(flag: Flag): boolean {
  const mount = readMount(flag);
  return mount !== undefined && (mount.get("type") ?? "bind") === "bind" && !mount.get("from");
}

/** Whether a source of COPY or ADD is a heredoc or comes from the network. */
export function isElsewhere(source: string, { keyword, json }: Instruction): boolean {
  if (json === undefined && /^[0-9]*<<-?[^<]/.test(source)) return true;
  return keyword === "ADD" && /^(?:https?:\/\/|git@|git:\/\/|ssh:\/\/)/.test(source);
}
