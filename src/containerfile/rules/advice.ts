import { readKeyValues } from "../../../grammar/grammar.ts";
import type { Containerfile, Instruction, ResolvedStage } from "../model.ts";
import { readArguments } from "../scope.ts";
import { cleanPath } from "../paths.ts";
import type { Finding, Rule } from "./model.ts";

/** Directories that nearly every base image has. */
const commonDirectories =
  "bin boot dev etc home lib lib32 lib64 media mnt opt proc root run sbin srv sys tmp usr var".split(
    " ",
  );

const secretName =
  /(?:^|_)(?:api_?key|access_?key|auth|credentials?|passw(?:or)?d|passphrase|private_?key|pwd|secret|token)s?(?:$|_)/i;
const publicName = /(?:^|_)(?:public|path|file|url|type|name|id)(?:$|_)/i;

/** What is allowed and seldom meant. */
export const adviceRules: readonly Rule[] = [
  {
    code: "output-path-in-base",
    summary: "The base may have the directory that OUTPUT mounts over",
    check: ({ graph }) => graph.stages.flatMap(checkCommonPath),
  },
  {
    code: "output-variable-of-base",
    summary: "OUTPUT uses a variable that only the base image could set",
    check: ({ graph }) => graph.stages.flatMap(checkVariables),
  },
  {
    code: "output-config-lost",
    summary: "What an instruction before OUTPUT sets is not in the image",
    check: ({ graph }) => graph.stages.flatMap(checkLostConfig),
  },
  {
    code: "secret-in-variable",
    summary: "ARG or ENV seems to contain a secret",
    check: ({ containerfile }) =>
      containerfile.instructions.flatMap((instruction) =>
        checkSecrets(instruction, containerfile.escape),
      ),
  },
];

function checkCommonPath({ output }: ResolvedStage): Finding[] {
  if (output === undefined || !output.path.startsWith("/")) return [];
  const path = cleanPath(output.path);
  if (!commonDirectories.includes(path.slice(1))) return [];
  return [
    {
      at: output.pathSpan,
      message: `the base image probably has ${path}, and the mount of OUTPUT hides it from every RUN`,
      hint: "name a directory that the base does not have, such as /layers",
    },
  ];
}

function checkVariables({ output }: ResolvedStage): Finding[] {
  if (output === undefined) return [];
  return output.unknownVariables.map((name) => ({
    at: output.instruction,
    message: `the value of ${name} is not known before the build: only the base image can set it`,
    hint: `declare ARG ${name} with a default before OUTPUT`,
  }));
}

function checkLostConfig({ output, stage }: ResolvedStage): Finding[] {
  if (output === undefined || output.inheritConfig) return [];
  const at = stage.instructions.indexOf(output.instruction);
  const after = new Set(stage.instructions.slice(at + 1).map(({ keyword }) => keyword));
  return stage.instructions
    .slice(0, at)
    .filter(({ keyword }) => /^(?:CMD|ENTRYPOINT|LABEL)$/.test(keyword))
    .filter(({ keyword }) => keyword === "LABEL" || !after.has(keyword))
    .map((instruction) => ({
      at: instruction,
      message: `${instruction.keyword} before OUTPUT is not in the image`,
      hint: "move it after OUTPUT, or write OUTPUT --inherit-config",
    }));
}

function checkSecrets(at: Instruction, escape: Containerfile["escape"]): Finding[] {
  return listNames(at, escape)
    .map((name, index) => ({ name, index }))
    .filter(({ name }) => secretName.test(name) && !publicName.test(name))
    .map(({ name, index }) => ({
      at: { instruction: at, part: { kind: "word", index } },
      message: `${at.keyword} ${name} would be kept in the image or its history`,
      hint: `pass it only to the step that needs it: RUN --mount=type=secret,id=${name.toLowerCase()}`,
    }));
}

function listNames(at: Instruction, escape: Containerfile["escape"]): string[] {
  if (at.keyword === "ENV")
    return readKeyValues("ENV", at.args, escape).pairs.map(({ key }) => key);
  return readArguments(at, escape).map(({ name }) => name);
}
