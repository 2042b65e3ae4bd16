import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Case, makeCase } from "../../support/cases/generate.ts";
import { type CaseResult, renderCase, runCase } from "../../support/cases/run-case.ts";
import { createToolsImage, forgetCases } from "../../support/cases/tools-image.ts";
import { chooseCount, testSeed } from "../../support/counts.ts";
import { listLeftovers } from "../../support/leftovers.ts";
import { useSandbox } from "../../support/sandbox.ts";

// The right result of a build is that of `--no-cache`: what an engine's cache or an equal key lets us leave out must
// make no difference, whatever is read in whatever way, and whatever changed.

const sandbox = useSandbox();

beforeAll(() => createToolsImage(sandbox));

const only = process.env["XBUILD_TEST_CASE"];
const numbers =
  only === undefined
    ? Array.from({ length: chooseCount(300) }, (_, at) => at)
    : only.split(",").map(Number);

/** How often what changed nothing was up to date, and what was built all the same. */
const counts = { harmless: 0, upToDate: 0 };
const built: string[] = [];

let run = 0;
beforeEach(async () => {
  run += 1;
  if (run % 20 === 0) await forgetCases(sandbox);
});

test.each(numbers)(`seed ${testSeed}, case %i`, async (number) => {
  const one = makeCase(testSeed, number);
  const result = await runCase(sandbox, one).catch((error: unknown) => {
    throw new Error(renderCase(one), { cause: error });
  });
  count(one, result);
  const faults = listFaults(one, result);
  expect(faults.length === 0 ? "" : [...faults, renderCase(one)].join("\n")).toBe("");
});

/** What is promised to be no reason to build again, where it is known before what is read. */
const promised: ReadonlySet<string> = new Set([
  "RUN; a comment",
  "an unused stage; its text",
  "an argument of the environment; nothing declares it",
  "the ignore file; an ignored file",
  "the ignore file; a comment",
  "COPY from: context; beside",
  "ADD from: context; beside",
  "mount from: context; beside",
]);

function listFaults(one: Case, result: CaseResult): readonly string[] {
  const { effect } = one.change;
  const { differences, isChanged, isUpToDate } = result;
  const isPromised = promised.has(`${one.read}; ${one.changed}`) && effect === "harmless";
  const isWrong = effect !== "open" && (effect === "telling") !== isChanged;
  const how = `the build with the cache was ${isUpToDate ? "up to date" : "built"}`;
  const wrong = differences.length > 0;
  return [
    ...(wrong ? [how, ...differences] : []),
    // Such a case shows nothing.
    ...(isWrong ? [`the change made ${isChanged ? "another" : "the same"} image`] : []),
    ...(isPromised && !isUpToDate && !one.mayBuild ? ["it was built again"] : []),
  ];
}

function count({ number, read, changed }: Case, result: CaseResult): void {
  if (result.isChanged) return;
  counts.harmless += 1;
  if (result.isUpToDate) counts.upToDate += 1;
  else built.push(`${number}: ${read}; changed: ${changed}`);
}

test("nothing is left in the engine's storage", async () => {
  expect(await listLeftovers(sandbox, sandbox.directory)).toEqual([]);
});

afterAll(() => {
  const { harmless, upToDate } = counts;
  console.log(
    [`up to date: ${upToDate} of ${harmless} that changed nothing; built:`, ...built].join("\n  "),
  );
});
