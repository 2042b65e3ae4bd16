import { readKeyValues, splitWords } from "../../grammar/grammar.ts";
import {
  decodeText,
  expandWord,
  type Instruction,
  type Lookup,
} from "../containerfile/containerfile.ts";
import type { ContainerConfig } from "../oci/oci.ts";
import type { LayeredStage } from "./model.ts";

/** The variables that ENV instructions after OUTPUT name. `result` is the config that the engine made of them. */
export function namedVariables(stage: LayeredStage, result: ContainerConfig): ReadonlySet<string> {
  return new Set(ofKeyword(stage, "ENV").flatMap((one) => readKeys(stage, "ENV", one, result)));
}

/** The keys that LABEL, EXPOSE or VOLUME instructions after OUTPUT name, as the config has them. */
export function namedKeys(
  stage: LayeredStage,
  result: ContainerConfig,
  keyword: "LABEL" | "EXPOSE" | "VOLUME",
): ReadonlySet<string> {
  const instructions = ofKeyword(stage, keyword);
  if (keyword === "LABEL") {
    return new Set(instructions.flatMap((one) => readKeys(stage, "LABEL", one, result)));
  }
  const words = instructions.flatMap((one) => readWords(stage, one, result));
  return new Set(keyword === "VOLUME" ? words : words.flatMap(listPorts));
}

function ofKeyword(stage: LayeredStage, keyword: string): readonly Instruction[] {
  return stage.layering.instructions.filter((one) => one.keyword === keyword);
}

function readKeys(
  stage: LayeredStage,
  keyword: "ENV" | "LABEL",
  instruction: Instruction,
  result: ContainerConfig,
): readonly string[] {
  const { escape } = stage;
  const { pairs } = readKeyValues(keyword, instruction.args, escape);
  return pairs.flatMap(({ key }) => expand(stage, key, result));
}

function readWords(
  stage: LayeredStage,
  instruction: Instruction,
  result: ContainerConfig,
): readonly string[] {
  const words = instruction.json ?? splitWords(decodeText(instruction.args), stage.escape);
  return words.flatMap((word) => expand(stage, word, result));
}

function expand(stage: LayeredStage, word: string, result: ContainerConfig): readonly string[] {
  const expansion = expandWord(word, createLookup(stage, result), stage.escape);
  return expansion.ok ? [expansion.value] : [];
}

/** Variables as they are in the end: near enough for a key, whose value is the engine's anyway. */
function createLookup(stage: LayeredStage, result: ContainerConfig): Lookup {
  const variables = new Map(
    (result.Env ?? []).map((one) => [
      one.slice(0, one.indexOf("=")),
      one.slice(one.indexOf("=") + 1),
    ]),
  );
  const given = new Map(stage.layering.argumentsAtOutput.map((one) => [one.name, one.value]));
  return (name) => variables.get(name) ?? given.get(name);
}

/**
 * `80`, `80/udp`, `8000-8002/tcp` as the keys of ExposedPorts (image-spec v1.1, config.md): as engines
 * write them, buildah 1.28 a range as it stands, others each port of it.
 */
function listPorts(word: string): readonly string[] {
  const [range = "", protocol = "tcp"] = word.split("/");
  const [first, last = first] = range.split("-").map(Number);
  const whole = [`${range}/${protocol}`, `${range}/${protocol.toLowerCase()}`];
  if (first === undefined || last === undefined || !(last >= first && last - first < 65_536))
    return whole;
  const ports = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  return [...whole, ...ports.map((port) => `${port}/${protocol.toLowerCase()}`)];
}
