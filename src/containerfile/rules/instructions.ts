import { readKeyValues, skipSpaces } from "../../../grammar/grammar.ts";
import { suggestName } from "../../suggest.ts";
import { expandWord } from "../expand.ts";
import { bodyHint, describeBodyFault, findBodyFault } from "../heredocs.ts";
import { toSourceRange } from "../locate.ts";
import type { Containerfile, Instruction, StageGraph } from "../model.ts";
import type { Place } from "../place.ts";
import { decodeText } from "../text.ts";
import { listWords } from "../words.ts";
import { instructionFlags } from "./flags.ts";
import type { Finding, Rule } from "./model.ts";

const keywords = Object.keys(instructionFlags);

/** How many arguments an instruction needs, where that can be told from the text. */
const leastArguments: Readonly<Record<string, number>> = {
  ADD: 2,
  ARG: 1,
  COPY: 2,
  ENV: 1,
  EXPOSE: 1,
  HEALTHCHECK: 1,
  LABEL: 1,
  MAINTAINER: 1,
  ONBUILD: 1,
  SHELL: 1,
  STOPSIGNAL: 1,
  USER: 1,
  VOLUME: 1,
  WORKDIR: 1,
};

/** What BuildKit's typed view of the instructions refuses. */
export const instructionRules: readonly Rule[] = [
  {
    code: "instruction-unknown",
    summary: "There is no such instruction",
    check: ({ containerfile }) =>
      containerfile.instructions
        .filter(({ keyword }) => !keywords.includes(keyword))
        .map(describeUnknown),
  },
  {
    code: "instruction-before-from",
    summary: "An instruction other than ARG comes before the first FROM",
    check: ({ containerfile }) =>
      containerfile.preamble
        .filter(
          ({ keyword }) => keyword !== "ARG" && keyword !== "OUTPUT" && keywords.includes(keyword),
        )
        .map((at) => ({
          at,
          message: `${at.keyword} comes before the first FROM`,
          hint: "start a stage with FROM first; only ARG may come before it",
        })),
  },
  {
    code: "arguments-missing",
    summary: "An instruction has too few arguments",
    check: ({ containerfile }) => containerfile.instructions.flatMap(checkArguments),
  },
  {
    code: "from-arguments",
    summary: "FROM is not of the form FROM image or FROM image AS name",
    check: ({ containerfile }) => containerfile.stages.flatMap(({ from }) => checkFrom(from)),
  },
  {
    code: "onbuild-trigger",
    summary: "ONBUILD has a trigger that is not allowed",
    check: ({ containerfile }) => containerfile.instructions.flatMap(checkTrigger),
  },
  {
    code: "expansion-invalid",
    summary: "A variable cannot be expanded",
    check: ({ containerfile }) =>
      containerfile.instructions.flatMap((one) => checkExpansions(one, containerfile.escape)),
  },
];

/**
 * Whether a stage in use has an instruction that no engine knows and that was most likely meant to be OUTPUT. What stands
 * in other stages, before FROM or behind ONBUILD no engine reads.
 */
export function mistypesOutput(graph: StageGraph): boolean {
  return graph.needed.some((index) => {
    const stage = graph.stages[index]?.stage;
    return stage?.instructions.some(isMistypedOutput) === true;
  });
}

function isMistypedOutput({ keyword }: Instruction): boolean {
  return !keywords.includes(keyword) && suggestName(keyword, keywords) === "OUTPUT";
}

function describeUnknown(at: Instruction): Finding {
  const suggestion = suggestName(at.keyword, keywords);
  return {
    at: findKeyword(at),
    message:
      at.keyword === ""
        ? "a continued line contains no instruction"
        : `unknown instruction ${at.keyword}`,
    hint:
      suggestion === undefined
        ? "start the line with an instruction, or continue the line before it with the escape character"
        : `did you mean ${suggestion}?`,
  };
}

function findKeyword({ keyword, text, pieces }: Instruction): Finding["at"] {
  const offset = skipSpaces(text, 0);
  return toSourceRange(pieces, offset, offset + keyword.length);
}

function checkArguments(at: Instruction): Finding[] {
  const least = leastArguments[at.keyword] ?? 0;
  const words = at.json ?? at.args.split(/[\t\v\f\r ]+/).filter((word) => word !== "");
  if (words.length >= least) return [];
  const message =
    least === 1
      ? `${at.keyword} needs an argument`
      : `${at.keyword} needs a source and a destination`;
  return [{ at, message, hint: `see ${at.keyword} in the Dockerfile reference` }];
}

function checkFrom(at: Instruction): Finding[] {
  const words = at.args.split(/[\t\v\f\r ]+/).filter((word) => word !== "");
  const hasName = words.length === 3 && words[1]?.toLowerCase() === "as";
  if (words.length === 0 || words.length === 1 || hasName) return [];
  const message = `FROM ${decodeText(at.args)} is neither FROM image nor FROM image AS name`;
  // The first word that is one too many, or a lone AS.
  const index = words[1]?.toLowerCase() === "as" && words.length > 3 ? 3 : 1;
  const place: Place = { instruction: at, part: { kind: "word", index } };
  return [{ at: place, message, hint: "put flags such as --platform before the image" }];
}

function checkTrigger(at: Instruction): Finding[] {
  if (at.keyword !== "ONBUILD") return [];
  const trigger = (/^[^\t\v\f\r ]*/.exec(at.args)?.[0] ?? "").toUpperCase();
  if (trigger !== "ONBUILD" && trigger !== "FROM" && trigger !== "MAINTAINER") return [];
  const part = { kind: "trigger", keyword: trigger } as const;
  const message = `${trigger} cannot be a trigger of ONBUILD`;
  return [{ at: { instruction: at, part }, message, hint: "remove this line" }];
}

/** Instructions whose words are expanded by the engine; FROM, OUTPUT and `--from` are read elsewhere. */
const expanded = /^(?:ADD|ARG|COPY|ENV|EXPOSE|LABEL|STOPSIGNAL|USER|VOLUME|WORKDIR)$/;

/** Every variable is taken as set here: only the form of the words is looked at. */
function checkExpansions(at: Instruction, escape: Containerfile["escape"]): Finding[] {
  if (!expanded.test(at.keyword)) return [];
  const hint = "use a form of the Dockerfile reference, such as ${name:-default}";
  const body = findBodyFault(at);
  const ofBody =
    body === undefined ? [] : [{ at, message: describeBodyFault(body), hint: bodyHint }];
  const ofWords = listExpanded(at, escape).flatMap(({ text, index }): Finding[] => {
    const expansion = expandWord(text, () => "x", escape);
    if (expansion.ok) return [];
    const message = `${text} cannot be expanded: ${expansion.message}`;
    return [{ at: { instruction: at, part: { kind: "word", index } }, message, hint }];
  });
  return [...ofWords, ...ofBody];
}

interface ExpandedText {
  readonly text: string;
  /** Of the word that it belongs to. */
  readonly index: number;
}

/** Names and values are expanded each by itself. */
function listExpanded(at: Instruction, escape: Containerfile["escape"]): readonly ExpandedText[] {
  if (at.keyword === "ENV" || at.keyword === "LABEL") {
    const { pairs } = readKeyValues(at.keyword, at.args, escape);
    return pairs.flatMap(({ key, value }, index) => [key, value].map((text) => ({ text, index })));
  }
  return listWords(at, escape).map((text, index) => ({ text, index }));
}
