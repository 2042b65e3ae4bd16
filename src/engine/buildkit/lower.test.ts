import { describe, expect, it } from "vitest";
import { type LayeredPlan, mustPlan, planOf } from "../../../test/support/plans.ts";
import type { BuildPlan } from "../../plan/plan.ts";
import * as lower from "./lower.ts";
import { findExtraLine, hasShell, type LayeringText, needsFloor, renderMounts } from "./lower.ts";

/** With the images' own names, in the place of those that are ours. */
function named<T extends readonly unknown[]>(
  lowerIt: (plan: BuildPlan, ...rest: T) => string,
): (plan: BuildPlan, ...rest: T) => string {
  return (plan, ...rest) =>
    plan.dependencies.images.reduce(
      (text, { name }, at) => text.replaceAll(`xbuild-image-${at}`, name),
      lowerIt(plan, ...rest),
    );
}

const lowerEnvironment = named(lower.lowerEnvironment);
const lowerLayering = named(lower.lowerLayering);
const lowerMetadata = named(lower.lowerMetadata);
const lowerPlain = named(lower.lowerPlain);

describe("images", () => {
  it("have names of ours, which no stage has: BuildKit would take the one for the other", () => {
    const plan = mustPlan(
      "FROM alpine AS alpine\nRUN b\nFROM alpine\nCOPY --from=busybox /a /b\nOUTPUT /l\nRUN c\n",
    );
    expect(lower.lowerEnvironment(plan, plan.target)).toBe(
      "FROM xbuild-image-0 AS alpine\nRUN b\nFROM alpine\nCOPY --from=xbuild-image-1 /a /b\n",
    );
  });

  it("are read by the builder's own frontend: of directives the escape alone is said", () => {
    const plan = mustPlan("# syntax=a/b:1\n# check=error=true\nFROM a\nOUTPUT /l\nRUN c\n");
    expect(lowerEnvironment(plan, plan.target)).toBe("#\n#\nFROM a\n");
    const other = mustPlan("# syntax=a/b:1\n# escape=`\nFROM a\nOUTPUT /l\nRUN c\n");
    expect(lowerEnvironment(other, other.target)).toBe("# escape=`\n#\nFROM a\n");
  });
});

const plain: LayeringText = {
  mounted: ["bin"],
  mark: "xbuild-end-1",
  isFloored: false,
  declaresEpoch: false,
};

function layeringOf(plan: LayeredPlan, given: Partial<LayeringText> = {}): string {
  return lowerLayering(plan, plan.target, { ...plain, ...given });
}

const mount = "--mount=type=bind,from=xbuild-layers,source=root/bin,target=/l/bin";
const copySkeleton = 'COPY --from=xbuild-layers ["skeleton","/l"]\n';
const lastStage = (index: number): string =>
  `FROM scratch AS xbuild-end-1\nCOPY --from=${index} ["/l/output","/"]\n`;

describe("the environment", () => {
  it("is the file up to OUTPUT", () => {
    const plan = mustPlan('# head\nFROM a\nRUN b\nOUTPUT /l\nRUN c\nCMD ["d"]\n');
    expect(lowerEnvironment(plan, plan.target)).toBe("# head\nFROM a\nRUN b\n");
  });

  it("keeps triggers: it is no base of the layering steps", () => {
    const plan = mustPlan("FROM a\nONBUILD RUN x\nOUTPUT /l\nRUN c\n");
    expect(lowerEnvironment(plan, plan.target)).toBe("FROM a\nONBUILD RUN x\n");
  });

  it("has the lines of an OUTPUT of another stage, but nothing on them", () => {
    const plan = mustPlan(
      "FROM a AS x\nOUTPUT \\\n  /l\nRUN <<EOF\none\nEOF\nFROM b\nRUN two\nOUTPUT /l\nRUN three\n",
    );
    expect(lowerEnvironment(plan, plan.target)).toBe("FROM a AS x\n\n\n\n\n\nFROM b\nRUN two\n");
  });

  it("is nothing but its FROM where OUTPUT comes at once", () => {
    const plan = mustPlan("FROM a\nOUTPUT /l\nRUN c");
    expect(lowerEnvironment(plan, plan.target)).toBe("FROM a\n");
  });
});

describe("the layering steps", () => {
  it("stand in their stage, each with the mounts", () => {
    const plan = mustPlan('FROM a\nOUTPUT /l\nRUN c\nUSER u\nRUN ["d", "e"]\nCMD ["f"]\n');
    expect(layeringOf(plan)).toBe(
      `FROM a\n${copySkeleton}RUN ${mount} c\nUSER u\nRUN ${mount} ["d", "e"]\nCMD ["f"]\n${lastStage(0)}`,
    );
  });

  it("have a mount for each name", () => {
    const plan = mustPlan("FROM a\nOUTPUT /l\nRUN c\n");
    expect(renderMounts(["bin", "history.json"], plan.target)).toBe(
      `${mount} ${mount.replaceAll("/bin", "/history.json")}`,
    );
    expect(layeringOf(plan, { mounted: ["bin", "history.json"] })).toContain(
      `\nRUN ${renderMounts(["bin", "history.json"], plan.target)} c\n`,
    );
  });

  it("stay on their lines behind an OUTPUT on several", () => {
    const plan = mustPlan("FROM a\nOUTPUT \\\n  --compression=zstd \\\n  # why\n  /l\nRUN c\n");
    expect(layeringOf(plan)).toBe(`FROM a\n${copySkeleton}\n\n\nRUN ${mount} c\n${lastStage(0)}`);
  });

  it("have an epoch declared on a line of OUTPUT, where that has one to spare", () => {
    const two = mustPlan("FROM a\nOUTPUT \\\n  /l\nRUN c\n");
    expect(layeringOf(two, { declaresEpoch: true })).toBe(
      `FROM a\n${copySkeleton}ARG SOURCE_DATE_EPOCH\nRUN ${mount} c\n${lastStage(0)}`,
    );
    const one = mustPlan("FROM a\nOUTPUT /l\nRUN c\n");
    expect(layeringOf(one, { declaresEpoch: true })).toBe(layeringOf(two, { declaresEpoch: true }));
    expect(findExtraLine(two.target, { declaresEpoch: true })).toBeUndefined();
    expect(findExtraLine(one.target, { declaresEpoch: true })).toBe(3);
    expect(findExtraLine(one.target, { declaresEpoch: false })).toBeUndefined();
  });

  it("keep flags, heredocs and lines that go on", () => {
    const text =
      "FROM a\nOUTPUT /l\n  RUN --mount=type=cache,target=/c <<EOF\nRUN not one\nEOF\nrun \\\n  # a comment\n  d\n";
    expect(layeringOf(mustPlan(text))).toBe(
      `FROM a\n${copySkeleton}  RUN ${mount} --mount=type=cache,target=/c <<EOF\nRUN not one\nEOF\nrun ${mount} \\\n  # a comment\n  d\n${lastStage(0)}`,
    );
  });

  it("know another escape", () => {
    const plan = mustPlan("# escape=`\nFROM a\nOUTPUT `\n  /l\nRUN c `\n d\n");
    expect(layeringOf(plan)).toBe(
      `# escape=\`\nFROM a\n${copySkeleton}\nRUN ${mount} c \`\n d\n${lastStage(0)}`,
    );
  });

  it("have nothing of other stages with an OUTPUT, and name their images", () => {
    const plan = mustPlan(
      "FROM a AS x\nOUTPUT /l\nRUN one\nFROM b\nCOPY --from=x /1 /1\nOUTPUT /l\nRUN --mount=from=x,target=/x two\nFROM c\nOUTPUT /l\nRUN three\n",
      { target: "1" },
    );
    const named = "xbuild-stage-0";
    expect(layeringOf(plan)).toBe(
      `FROM a AS x\n\n\nFROM b\nCOPY --from=${named} /1 /1\n${copySkeleton}RUN ${mount} --mount=from=${named},target=/x two\n${lastStage(1)}`,
    );
    expect(plan.dependencies.built.map(({ index }) => index)).toEqual([0]);
  });

  it("are followed by a step that floors times, as root and without a network", () => {
    const plan = mustPlan("FROM a\nOUTPUT /l\nUSER u\nRUN c\n");
    const lines = layeringOf(plan, { isFloored: true }).split("\n");
    expect(lines.slice(3, 5)).toEqual([`RUN ${mount} c`, "USER 0"]);
    expect(lines[5]).toMatch(
      /^RUN --network=none \["\/bin\/sh","-c",".*","xbuild-end-1","\/l\/output"\]$/,
    );
    expect(lines.slice(6).join("\n")).toBe(lastStage(0));
  });

  it("end with the file's end, whether that ends its line or not", () => {
    const text = "FROM a\nOUTPUT /l\nRUN c";
    expect(layeringOf(mustPlan(text))).toBe(layeringOf(mustPlan(`${text}\n`)));
  });
});

// Each was built by BuildKit 0.34.2 when it was written down.
describe("a path of odd letters", () => {
  const backslash = "\\";
  it("is quoted as flags, CSV, words and patterns are", () => {
    const plan = mustPlan(
      String.raw`FROM a
OUTPUT ["/my [l]ay*r?s\\$x\\'q\\\\z\\\"d${"\\\\`"}"]
RUN c
`,
    );
    expect(plan.target.output.path).toBe(`/my [l]ay*r?s$x'q${backslash}z"d\``);
    const text = layeringOf(plan);
    expect(text).toContain(
      String.raw`COPY --from=xbuild-layers ["skeleton","/my [l]ay*r?s\\$x\\'q\\\\z\\\"d${"\\\\`"}"]`,
    );
    expect(text).toContain(
      String.raw`RUN --mount="type=bind,from=xbuild-layers,source=root/bin,\"target=/my [l]ay*r?s\\$x\\'q\\\\z\\\"\"d${"\\\\`"}/bin\"" c`,
    );
    expect(text).toContain(
      String.raw`COPY --from=0 ["/my [[]l]ay[*]r[?]s\\$x\\'q\\\\\\\\z\\\"d${"\\\\`"}/output","/"]`,
    );
  });

  it("is quoted with the file's own escape", () => {
    const plan = mustPlan('# escape=`\nFROM a\nOUTPUT ["/my lay`$x"]\nRUN c\n');
    const text = layeringOf(plan);
    expect(text).toContain('["skeleton","/my lay`$x"]');
    expect(text).toContain(
      '--mount="type=bind,from=xbuild-layers,source=root/bin,target=/my lay``$x/bin"',
    );
  });

  it("is refused where BuildKit's flags cannot say it", () => {
    const plan = mustPlan("FROM a\nOUTPUT /é\nRUN c\n");
    expect(() => layeringOf(plan)).toThrow(expect.objectContaining({ code: "engine-cannot-run" }));
  });
});

describe("a stage without OUTPUT", () => {
  it("is the file up to its end", () => {
    const plan = mustPlan(
      "FROM a AS x\nRUN <<EOF\nx\nEOF\nFROM b\nOUTPUT /l\nCOPY --from=x / /\nFROM c\n",
      { target: "1" },
    );
    const [first] = plan.stages;
    if (first === undefined) throw new Error("no stage");
    expect(lowerPlain(plan, first)).toBe("FROM a AS x\nRUN <<EOF\nx\nEOF\n");
  });
});

describe("metadata", () => {
  const text =
    '# c\nARG G=1\nFROM a\nARG G\nENV E=$G\nRUN one\nONBUILD RUN t\nCOPY x /x\nOUTPUT /l\nRUN two \\\n  three\nADD y /y\nLABEL l=$E\nONBUILD RUN u\nCMD ["d"]\n';

  it("of the environment ends at OUTPUT", () => {
    const plan = mustPlan(text);
    expect(lowerMetadata(plan, plan.target, "environment")).toBe(
      "# c\nARG G=1\nFROM a\nARG G\nENV E=$G\n\n\n\n",
    );
  });

  it("of the whole has all that needs no files, triggers behind OUTPUT among them", () => {
    const plan = mustPlan(text);
    expect(lowerMetadata(plan, plan.target, "whole")).toBe(
      '# c\nARG G=1\nFROM a\nARG G\nENV E=$G\n\n\n\n\n\n\n\nLABEL l=$E\nONBUILD RUN u\nCMD ["d"]\n',
    );
  });

  it("has what the stages below say", () => {
    const plan = mustPlan("FROM a AS x\nRUN one\nFROM x\nENV A=1\nOUTPUT /l\nRUN two\n");
    expect(lowerMetadata(plan, plan.target, "whole")).toBe("FROM a AS x\n\nFROM x\nENV A=1\n\n");
  });
});

it.each([
  ["RUN a", true],
  ['RUN ["a"]', false],
  ["CMD a", false],
  ['SHELL ["/bin/bash", "-c"]\nRUN a', true],
  ['SHELL ["/usr/bin/pwsh", "-c"]\nRUN a', false],
  ["RUN <<EOF\na\nEOF", true],
])("%j has run a shell: %s", (steps, expected) => {
  expect(hasShell(mustPlan(`FROM a\n${steps}\nOUTPUT /l\nRUN ["c"]\n`).target)).toBe(expected);
});

it("has no plan for a file without OUTPUT", () => {
  expect(planOf("FROM a\nRUN b\n")).toBeUndefined();
});

it.each([
  ["OUTPUT /l", undefined, false],
  ["OUTPUT /l", 0, true],
  ["OUTPUT --reuse=exact /l", undefined, true],
])("%s with the epoch %s: times are rounded down? %s", (output, epoch, expected) => {
  expect(needsFloor(mustPlan(`FROM a\nRUN b\n${output}\nRUN c\n`).target, { epoch })).toBe(
    expected,
  );
  const shellless = mustPlan(`FROM a\n${output}\nRUN ["c"]\n`);
  expect(needsFloor(shellless.target, { epoch })).toBe(false);
});
