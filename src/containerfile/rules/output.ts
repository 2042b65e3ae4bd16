import { splitCommand } from "../../../grammar/grammar.ts";
import type { Instruction } from "../model.ts";
import { cleanPath } from "../paths.ts";
import type { Finding, Rule, RuleContext } from "./model.ts";

const heredocMark = /(?:^|[\t ])[0-9]*<<-?[\t ]*[^\t <]/;

/** What `OUTPUT` itself must keep to. */
export const outputRules: readonly Rule[] = [
  {
    code: "output-before-from",
    summary: "OUTPUT comes before the first FROM",
    check: ({ containerfile }) =>
      containerfile.preamble.filter(isOutput).map((at) => ({
        at,
        message: "OUTPUT comes before the first FROM",
        hint: "move it into the stage whose layers it describes",
      })),
  },
  {
    code: "output-duplicate",
    summary: "A stage has more than one OUTPUT",
    check: ({ containerfile }) =>
      containerfile.stages.flatMap(({ instructions, output }) =>
        instructions
          .filter((instruction) => isOutput(instruction) && instruction !== output)
          .map((at) => ({
            at,
            message: `this stage already has an OUTPUT in line ${output?.span.start.line}`,
            hint: "keep one of them, or start another stage with FROM",
          })),
      ),
  },
  {
    code: "output-onbuild",
    summary: "OUTPUT is the trigger of an ONBUILD",
    check: ({ containerfile }) =>
      containerfile.instructions.flatMap((one) => checkOnbuild(one, containerfile.escape)),
  },
  {
    code: "output-heredoc",
    summary: "OUTPUT has a heredoc",
    check: ({ containerfile }) =>
      containerfile.instructions
        .filter((one) => isOutput(one) && heredocMark.test(one.args))
        .map((at) => ({
          at,
          message: "OUTPUT takes no heredoc",
          hint: "write files in a RUN after it: RUN <<EOF",
        })),
  },
  {
    code: "output-path-relative",
    summary: "The path of OUTPUT is not absolute",
    check: checkPath(
      (path) => !path.startsWith("/") && !heredocMark.test(path),
      (path) => ({
        message: `the path ${path} is not absolute`,
        hint: `write OUTPUT /${path.replace(/^(?:\.?\/)+/, "")}`,
      }),
    ),
  },
  {
    code: "output-path-root",
    summary: "The path of OUTPUT is the root directory",
    check: checkPath(
      (path) => path.startsWith("/") && cleanPath(path) === "/",
      () => ({
        message: "the path of OUTPUT cannot be the root directory",
        hint: "name a directory that the base does not have, such as /layers",
      }),
    ),
  },
  {
    code: "output-path-characters",
    summary: "The path of OUTPUT cannot be mounted",
    check: checkPath(
      // oxlint-disable-next-line no-control-regex
      (path) => /[:,\u0000-\u001f\u007f]/.test(path),
      (path) => ({
        message: `the path ${JSON.stringify(path)} contains a character that no engine can mount`,
        hint: "leave out colons, commas and control characters",
      }),
    ),
  },
];

function isOutput({ keyword }: Instruction): boolean {
  return keyword === "OUTPUT";
}

function checkOnbuild(instruction: Instruction, escape: string): Finding[] {
  let { args } = instruction;
  if (instruction.keyword !== "ONBUILD") return [];
  let trigger = splitCommand(args, escape);
  while (/^onbuild$/i.test(trigger.keyword)) {
    args = trigger.args;
    trigger = splitCommand(args, escape);
  }
  if (!/^output$/i.test(trigger.keyword)) return [];
  const message = "OUTPUT cannot be a trigger of ONBUILD";
  const hint = "write OUTPUT in the file of the stage whose layers it describes";
  const part = { kind: "trigger", keyword: "OUTPUT" } as const;
  return [{ at: { instruction, part }, message, hint }];
}

function checkPath(
  isWrong: (path: string) => boolean,
  describe: (path: string) => { readonly message: string; readonly hint: string },
): (context: RuleContext) => Finding[] {
  return ({ graph }) =>
    graph.stages.flatMap(({ output }) => {
      // A path that only the base image's variables complete is looked at when building.
      if (output === undefined || output.path === "" || output.unknownVariables.length > 0)
        return [];
      return isWrong(output.path) ? [{ at: output.pathSpan, ...describe(output.path) }] : [];
    });
}
