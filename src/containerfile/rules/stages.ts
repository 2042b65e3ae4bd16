import type { Instruction, Reference, ResolvedStage, Stage } from "../model.ts";
import type { Place } from "../place.ts";
import { findStage, type Names } from "../references.ts";
import type { Finding, Rule, RuleContext } from "./model.ts";

/** The Dockerfile reference restricts names so; BuildKit's instructions package checks it. */
const validName = /^[a-z][a-z0-9\-_.]*$/;

/** The engines' storage drivers hold no more layers than this in an image. */
const maxLayers = 127;

export const stageRules: readonly Rule[] = [
  {
    code: "stage-name-invalid",
    summary: "A stage's name contains something that is not allowed",
    check: ({ containerfile }) =>
      containerfile.stages
        .filter(({ name }) => name !== undefined && !validName.test(name))
        .map(({ from, name }) => ({
          at: placeName(from),
          message: `a stage cannot have the name ${name}`,
          hint: "start the name with a letter, and use only letters, digits, ., _ and -",
        })),
  },
  {
    code: "stage-name-duplicate",
    summary: "Two stages have the same name",
    check: ({ containerfile, names }) =>
      containerfile.stages.flatMap((stage) => checkDuplicate(stage, names)),
  },
  {
    code: "stage-name-reserved",
    summary: "A stage has the name of something else",
    check: ({ containerfile }) =>
      containerfile.stages
        .filter(({ name }) => name === "scratch" || name === "context")
        .map(({ from, name }) => ({
          at: placeName(from),
          message: `the name ${name} already has another meaning`,
          hint: "give the stage another name",
        })),
  },
  {
    code: "base-later-stage",
    summary: "FROM names an image, and a later stage has that name",
    check: (context) => context.graph.stages.flatMap((stage) => checkLater(context, stage)),
  },
  {
    code: "base-without-version",
    summary: "An image is named without a version",
    check: ({ graph }) => graph.stages.flatMap(checkVersion),
  },
  {
    code: "layers-near-limit",
    summary: "A stage makes nearly as many layers as an image can have",
    check: ({ containerfile }) => containerfile.stages.flatMap(checkLayers),
  },
];

function placeName(instruction: Instruction): Place {
  return { instruction, part: { kind: "stage-name" } };
}

function placeImage(instruction: Instruction): Place {
  return { instruction, part: { kind: "image" } };
}

function checkDuplicate({ name, index, from }: Stage, names: Names): Finding[] {
  if (name === undefined) return [];
  const earlier = findStage(name, names, index);
  if (earlier === undefined) return [];
  const message = `the stage in line ${earlier.from.span.start.line} is also called ${name}`;
  const hint = "rename one of them: from here on, the name means this one";
  return [{ at: placeName(from), message, hint }];
}

function checkLater({ names }: RuleContext, { base, stage }: ResolvedStage): Finding[] {
  if (base.kind !== "image") return [];
  const later = findStage(base.name, names);
  if (later === undefined || later === stage) return [];
  return [
    {
      at: placeImage(stage.from),
      message: `${base.name} means an image here, because the stage of that name comes later`,
      hint: "move that stage above this one, or give it another name",
    },
  ];
}

function checkVersion({ base, stage, uses, output }: ResolvedStage): Finding[] {
  const named: [Reference, Finding["at"]][] = [
    [base, placeImage(stage.from)],
    ...uses.map(({ reference, flag }): [Reference, Finding["at"]] => [reference, flag.span]),
    ...(output?.from ?? []).map((one, index): [Reference, Finding["at"]] => [
      one,
      output?.fromSpans[index] ?? stage.from,
    ]),
  ];
  return named.flatMap(([reference, at]) =>
    reference.kind === "image" && isWithoutVersion(reference.name)
      ? [describeVersion(reference.name, at)]
      : [],
  );
}

/** Names of local transports, such as `oci:dir`, are left alone. */
function isWithoutVersion(name: string): boolean {
  if (name === "" || /^(?:[a-z-]+:\/|(?:oci|oci-archive|dir|docker-archive):)/.test(name))
    return false;
  const last = name.slice(name.lastIndexOf("/") + 1);
  return !name.includes("@") && (!last.includes(":") || last.endsWith(":latest"));
}

function describeVersion(name: string, at: Finding["at"]): Finding {
  const last = name.slice(name.lastIndexOf("/") + 1).replace(/:latest$/, "");
  return {
    at,
    message: `${name} has no version, so it can be another image tomorrow`,
    hint: `write a tag, such as ${last}:<version>, or a digest`,
  };
}

function checkLayers(stage: Stage): Finding[] {
  const layers = stage.instructions.filter(({ keyword }) => /^(?:RUN|COPY|ADD)$/.test(keyword));
  const last = layers[maxLayers - 11];
  if (last === undefined || stage.output !== undefined) return [];
  return [
    {
      at: last,
      message: `this stage makes ${layers.length} layers, and an image can have ${maxLayers} including those of its base`,
      hint: "combine instructions, or let OUTPUT decide the layers",
    },
  ];
}
