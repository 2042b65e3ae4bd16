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
  const expansion = createExpansion(stage, result);
  const instructions = listInstructions(stage, "ENV");
  return new Set(instructions.flatMap((one) => readKeys("ENV", one, expansion)));
}

/** The keys that LABEL, EXPOSE or VOLUME instructions after OUTPUT name, as the config has them. */
export function namedKeys(
  stage: LayeredStage,
  result: ContainerConfig,
  keyword: "LABEL" | "EXPOSE" | "VOLUME",
): ReadonlySet<string> {
  const expansion = createExpansion(stage, result);
  const instructions = listInstructions(stage, keyword);
  if (keyword === "LABEL") {
    return new Set(instructions.flatMap((one) => readKeys("LABEL", one, expansion)));
  }
  const words = instructions.flatMap((one) => readWords(one, expansion));
  return new Set(keyword === "VOLUME" ? words : words.flatMap(listPorts));
}

/** What the words after OUTPUT are expanded with. */
interface Expansion {
  readonly escape: LayeredStage["escape"];
  readonly lookup: Lookup;
}

/** Variables as they are in the end: near enough for a key, whose value is the engine's anyway. */
function createExpansion(stage: LayeredStage, result: ContainerConfig): Expansion {
  const variables = new Map(
    (result.Env ?? []).map((one) => [
      one.slice(0, one.indexOf("=")),
      one.slice(one.indexOf("=") + 1),
    ]),
  );
  const given = new Map(stage.layering.argumentsAtOutput.map((one) => [one.name, one.value]));
  const lookup: Lookup = (name) => variables.get(name) ?? given.get(name);
  return { escape: stage.escape, lookup };
}

function listInstructions(stage: LayeredStage, keyword: string): readonly Instruction[] {
  return stage.layering.instructions.filter((one) => one.keyword === keyword);
}

function readKeys(
  keyword: "ENV" | "LABEL",
  { args }: Instruction,
  expansion: Expansion,
): readonly string[] {
  const { pairs } = readKeyValues(keyword, args, expansion.escape);
  return pairs.flatMap(({ key }) => expand(key, expansion));
}

function readWords({ json, args }: Instruction, expansion: Expansion): readonly string[] {
  const words = json ?? splitWords(decodeText(args), expansion.escape);
  return words.flatMap((word) => expand(word, expansion));
}

function expand(word: string, { escape, lookup }: Expansion): readonly string[] {
  const expanded = expandWord(word, lookup, escape);
  return expanded.ok ? [expanded.value] : [];
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
