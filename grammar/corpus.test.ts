import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

import { readArguments } from "./arguments.ts";
import { readContainerfile } from "./containerfile.ts";
import { splitInstruction } from "./instruction.ts";
import type { ContainerfileSyntax, InstructionSyntax } from "./model.ts";
import { decodeBytes } from "./text.ts";

// What BuildKit's parser accepts. What is found fault with in `corpus/bad` is the rules' own.
// `vitest -u` writes the expected files anew: read the difference before committing it.
const corpus = new URL("corpus/ok/", import.meta.url);

test.each(readdirSync(corpus).toSorted())("%s", async (name) => {
  const syntax = readContainerfile(
    readFileSync(new URL(`${name}/Containerfile`, corpus), "latin1"),
  );
  expect(syntax.problems.filter(({ code }) => code !== "continuation-blank-line")).toEqual([]);
  const { instructions } = syntax;
  expect(instructions.flatMap((one) => describeInstruction(one, syntax).problem ?? [])).toEqual([]);
  const json = `${JSON.stringify(describeFile(syntax), undefined, 2)}\n`;
  const expected = fileURLToPath(new URL(`${name}/expected.json`, corpus));
  await expect(json).toMatchFileSnapshot(expected);
});

function describeFile(syntax: ContainerfileSyntax) {
  return {
    escape: syntax.escape,
    instructions: syntax.instructions.map((one) => describeInstruction(one, syntax).described),
  };
}

function describeInstruction(one: InstructionSyntax, { escape }: ContainerfileSyntax) {
  const { keyword, flags, args } = splitInstruction(one.text, escape);
  const { json, problem } = readArguments(keyword, args, escape);
  const described = {
    keyword,
    lines: [one.startLine, one.endLine],
    bytes: [one.start, one.end],
    text: decodeBytes(one.text),
    flags: flags.map((flag) => flag.text),
    args: decodeBytes(args),
    json,
    heredocs: one.heredocs.map(({ name, body, ...heredoc }) => ({
      name: decodeBytes(name),
      ...heredoc,
      body: decodeBytes(body),
    })),
  };
  return { described, problem };
}
