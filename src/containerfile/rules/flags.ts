import { suggestName } from "../../suggest.ts";
import type { Flag, Instruction } from "../model.ts";
import type { Finding, Rule } from "./model.ts";

/** The flags of each instruction that BuildKit or buildah knows. `*` may be repeated, `?` may stand alone. */
export const instructionFlags: Readonly<Record<string, readonly string[]>> = {
  ADD: [
    "checksum",
    "chmod",
    "chown",
    "exclude*",
    "from",
    "keep-git-dir?",
    "link?",
    "parents?",
    "unpack?",
  ],
  ARG: [],
  CMD: [],
  COPY: ["chmod", "chown", "exclude*", "from", "link?", "parents?"],
  ENTRYPOINT: [],
  ENV: [],
  EXPOSE: [],
  FROM: ["after", "platform"],
  HEALTHCHECK: ["interval", "retries", "start-interval", "start-period", "timeout"],
  LABEL: [],
  MAINTAINER: [],
  ONBUILD: [],
  OUTPUT: [],
  RUN: ["device*", "mount*", "network", "security"],
  SHELL: [],
  STOPSIGNAL: [],
  USER: [],
  VOLUME: [],
  WORKDIR: [],
};

/** What BuildKit refuses about flags; an unknown one may be known to a newer engine. */
export const flagRules: readonly Rule[] = [
  {
    code: "flag-unknown",
    summary: "An instruction has a flag that neither BuildKit nor buildah is known to support",
    check: ({ containerfile }) => containerfile.instructions.flatMap(checkFlags),
  },
  {
    code: "flag-value-missing",
    summary: "A flag that takes a value has none",
    check: ({ containerfile }) => containerfile.instructions.flatMap(checkValues),
  },
  {
    code: "flag-duplicate",
    summary: "A flag is given twice",
    check: ({ containerfile }) => containerfile.instructions.flatMap(checkDuplicates),
  },
];

function checkFlags({ keyword, flags }: Instruction): Finding[] {
  const known = instructionFlags[keyword]?.map((name) => name.replace(/[*?]$/, ""));
  if (known === undefined || keyword === "OUTPUT") return [];
  return flags
    .filter(({ name }) => !known.includes(name))
    .map((flag) => describeFlag(keyword, flag, known));
}

function describeFlag(keyword: string, flag: Flag, known: readonly string[]): Finding {
  const suggestion = suggestName(flag.name, known);
  const others =
    known.length === 0 ? "remove it" : `use one of ${known.map((name) => `--${name}`).join(", ")}`;
  return {
    at: flag.span,
    message: `${keyword} has no flag --${flag.name}`,
    hint: suggestion === undefined ? others : `did you mean --${suggestion}?`,
  };
}

function checkDuplicates({ keyword, flags }: Instruction): Finding[] {
  if (keyword === "OUTPUT") return [];
  const seen = new Set<string>();
  return flags.flatMap((flag) => {
    const isRepeated = seen.has(flag.name);
    seen.add(flag.name);
    if (!isRepeated || !isOnce(keyword, flag.name)) return [];
    return [{ at: flag.span, message: `--${flag.name} is given twice`, hint: "keep one of them" }];
  });
}

function isOnce(keyword: string, name: string): boolean {
  const known = instructionFlags[keyword] ?? [];
  return known.includes(name) || known.includes(`${name}?`);
}

function checkValues({ keyword, flags }: Instruction): Finding[] {
  const needing = instructionFlags[keyword]?.filter((name) => !name.endsWith("?")) ?? [];
  return flags
    .filter(
      ({ name, value }) =>
        value === undefined && needing.some((one) => one.replace("*", "") === name),
    )
    .map(({ name, span }) => ({
      at: span,
      message: `--${name} has no value`,
      hint: `write --${name}=<value>, without a space`,
    }));
}
