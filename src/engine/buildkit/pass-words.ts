import { exitStatuses, XbuildError } from "../../errors.ts";
import type { EngineFlag } from "../model.ts";
import { knownFlags } from "./fit-flags.ts";

/** Flags of a build without OUTPUT that buildctl has something like, beside those of steps. */
const valueFlags = "file tag build-arg build-context target platform output label progress".split(
  " ",
);
const booleanFlags = ["no-cache", "push", "quiet", "pull"];
const shortNames = new Map([
  ["f", "file"],
  ["t", "tag"],
  ["o", "output"],
  ["q", "quiet"],
]);

/** All that are rendered for buildctl. */
export function listWordFlags(): readonly EngineFlag[] {
  return [
    ...[...valueFlags, ...knownFlags].map((name) => describeFlag(name, true)),
    ...booleanFlags.map((name) => describeFlag(name, false)),
  ];
}

function describeFlag(name: string, takesValue: boolean): EngineFlag {
  return { name, short: [...shortNames].find(([, long]) => long === name)?.[0], takesValue };
}

/** A command line of `docker build`, taken apart. */
export interface Given {
  readonly operands: readonly string[];
  readonly all: (name: string) => readonly string[];
  readonly last: (name: string) => string | undefined;
  readonly has: (name: string) => boolean;
  /** Those of steps, each `--name=value`. */
  readonly flags: readonly string[];
}

/** Errors: `usage` for what buildctl has nothing like. */
export function readWords(args: readonly string[]): Given {
  const values = new Map<string, string[]>();
  const operands: string[] = [];
  const words = args[Symbol.iterator]();
  for (const word of words) {
    const groups = /^(?:--(?<long>[a-z0-9-]+)|-(?<short>[a-z]))(?:=(?<value>.*))?$/s.exec(
      word,
    )?.groups;
    const name = groups?.["long"] ?? shortNames.get(groups?.["short"] ?? "");
    if (groups === undefined || word === "-") {
      operands.push(word);
      continue;
    }
    if (name === undefined || ![...valueFlags, ...booleanFlags, ...knownFlags].includes(name))
      throw refuse(word);
    const isBoolean = booleanFlags.includes(name);
    const value = groups["value"] ?? (isBoolean ? "true" : (words.next().value ?? ""));
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  const all = (name: string): readonly string[] => values.get(name) ?? [];
  return {
    operands,
    all,
    last: (name) => all(name).at(-1),
    has: (name) => all(name).at(-1) === "true",
    flags: knownFlags.flatMap((name) => all(name).map((value) => `--${name}=${value}`)),
  };
}

function refuse(word: string): XbuildError {
  return new XbuildError("usage", `${word}: buildctl has nothing like it`, {
    hint: "leave it out, or name a builder of buildx with --builder",
    exitStatus: exitStatuses.usage,
  });
}
