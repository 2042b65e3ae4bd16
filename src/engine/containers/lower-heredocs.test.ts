import { describe, expect, it, test } from "vitest";
import { mustPlan } from "../../../test/support/plans.ts";
import { readHeredocs, type StageStart } from "../../plan/plan.ts";
import { createStageCall } from "./calls.ts";
import { findHeredocs } from "./find-heredocs.ts";
import { lowerStage } from "./lower.ts";
import { type CallDocument, lowerHeredocs } from "./lower-heredocs.ts";

const end = "OUTPUT /layers\nRUN true\n";

interface Lowered {
  readonly text: string;
  readonly documents: readonly CallDocument[];
}

/** The environment's text and files, on a base that says this. */
function lower(text: string, start?: Partial<StageStart>): Lowered {
  const plan = mustPlan(`FROM a AS first\n${text}${end}`);
  const steps = readHeredocs(plan, () => ({
    environment: new Map(),
    shell: undefined,
    ...start,
  }));
  const heredocs = lowerHeredocs(plan.containerfile, steps);
  const names = {
    pinned: new Map(),
    mounted: new Map(),
    stages: new Map(),
    digests: new Map(),
    heredocs,
  };
  const documents = [...heredocs.values()].flatMap((one) => one.documents);
  return { text: lowerStage(plan, plan.target, names).replace("FROM a AS first\n", ""), documents };
}

function contents(text: string, start?: Partial<StageStart>): readonly string[] {
  return lower(text, start).documents.map(({ content }) => content);
}

/** The words of a RUN in the JSON form, as an engine joins and reads them. */
function readRun(text: string, escape = "\\"): readonly string[] {
  const joined = text.replaceAll(`${escape}\n`, "").trim();
  return JSON.parse(joined.slice(joined.indexOf("[")));
}

describe("a RUN", () => {
  test.each([
    ["RUN <<EOF\na\n\n# b\n  c\nEOF\n", "a\n\n# b\n  c\n"],
    ['RUN <<-"EOF"\n\ta $b\n\t\tc\n\tEOF\n', "a $b\nc\n"],
    ["RUN <<EOF\nEOF\n", ""],
    ["RUN <<EOF cat\nx\nEOF\n", "<<EOF cat\nx\nEOF"],
    ["RUN cat <<A 3<<-B\nx\nA\n\ty\n\tB\n", "cat <<A 3<<-B\nx\nA\n\ty\nB"],
    ["RUN <<EOF\na \\\nb\t\\\\\n` \nc` \\ \n<<d\nEOF\n", "a \\\nb\t\\\\\n` \nc` \\ \n<<d\n"],
    ['RUN <<EOF\necho "a": b\r\nEOF\n', 'echo "a": b\r\n'],
    ["RUN <<EOF\nä\u0001\nEOF\n", "ä\u0001\n"],
  ])("%j gives the shell its script", (text, script) => {
    const { text: lowered } = lower(text);
    const words = readRun(Buffer.from(lowered, "latin1").toString("utf8"));
    expect(words).toEqual(["/bin/sh", "-c", script]);
    expect(lowered.split("\n")).toHaveLength(text.split("\n").length);
    expect(lowered).not.toMatch(/<<|": |^\s*(?:#|\\?$)[^]*\]|\\\\\\$| \\$/m);
  });

  it("is run by the shell that holds there, and keeps its flags", () => {
    const text = 'SHELL ["/bin/bash", "-c"]\nRUN --network=none <<EOF\nx\nEOF\n';
    const shell = ["/bin/ash", "-ec"];
    expect(lower(`RUN <<EOF\ny\nEOF\n${text}`, { shell }).text).toBe(
      'RUN ["/bin/ash","-ec","y\\\n\\n"]\n\nSHELL ["/bin/bash", "-c"]\n' +
        'RUN --network=none ["/bin/bash","-c","x\\\n\\n"]\n\n',
    );
  });

  it("is a file that is run where it begins with #!", () => {
    const { text, documents } = lower("RUN <<-EOF\n#!/bin/awk -f\n\tBEGIN {}\nEOF\n");
    const [document] = documents;
    expect(document).toMatchObject({ content: "#!/bin/awk -f\nBEGIN {}\n", mode: 0o755 });
    expect(text).toBe(
      `RUN --mount=type=bind,from=xbuild-heredocs,source=${document?.path},target=/.xbuild-EOF ["/bin/sh","-c","/.xbuild-EOF"]\n\n\n\n`,
    );
  });

  it("has the file's own escape character at the ends of its lines", () => {
    const plan = mustPlan(`# escape=\`\nFROM a\nRUN <<EOF\nx\\\ny\`\nEOF\n${end}`);
    const steps = readHeredocs(plan, () => undefined);
    const [lowered] = lowerHeredocs(plan.containerfile, steps).values();
    expect(lowered?.edit.text).toBe('["/bin/sh","-c","x\\u005c`\n\\ny\\u0060`\n\\n"]\n');
  });
});

describe("COPY and ADD", () => {
  test.each([
    ["$A ${B:-b} \\$A '$A' \"$UNSET\" \\x \\\\", "one b $A 'one' \"\" x \\"],
    ["don't \"", "don't \""],
  ])("%j is expanded as BuildKit does", (body, expanded) => {
    const text = `ARG A=one\nCOPY <<EOF <<'F' /d/\n${body}\nEOF\n${body}\nF\n`;
    expect(contents(text)).toEqual([`${expanded}\n`, `${body}\n`]);
  });

  it("knows the variables of the base, of stages below, and PATH", () => {
    const text = "ENV X=x$BASE\nCOPY <<EOF /d\n$BASE $X $PATH\nEOF\n";
    expect(contents(text, { environment: new Map([["BASE", "base"]]) })).toEqual([
      "base xbase /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n",
    ]);
    const stages = "ENV BELOW=below\nFROM first\nCOPY <<EOF /d\n$BELOW\nEOF\n";
    expect(contents(stages)).toEqual(["below\n"]);
  });

  it("are files of a context of ours, beside what else is copied", () => {
    const { text, documents } = lower(
      "ADD --chown=app --checksum=x a <<E /d/\nx\nE\nCOPY <<A <<B $D/\nA\nB\n",
    );
    const [e, a, b] = documents.map(({ path }) => path);
    expect(text).toBe(
      `ADD --chown=app --checksum=x a /d/\nCOPY --chown=app --from=xbuild-heredocs ${e} /d/\n\n` +
        `COPY --chown=0:0 --from=xbuild-heredocs ${a} ${b} $D/\n\n\n`,
    );
    expect([e, a, b].map((path) => path?.replace(/^[0-9a-f]{32}\//, ""))).toEqual(["E", "A", "B"]);
  });

  it("are refused where a variable that must be set is not", () => {
    expect(() => lower("COPY <<EOF /d\n${A:?is needed}\nEOF\n")).toThrow(
      expect.objectContaining({
        code: "containerfile-invalid",
        diagnostics: [expect.objectContaining({ code: "expansion-invalid" })],
      }),
    );
  });
});

describe("a call", () => {
  it("has the files of its steps alone, and finds the instruction by the engine's words", async () => {
    const plan = mustPlan(
      `FROM a AS x\nCOPY <<EOF /x\nx\nEOF\nFROM a\nRUN <<EOF\nfalse\n"a": b\nEOF\nCOPY <<EOF /c\nc\nEOF\n${end}`,
    );
    const steps = { buildContexts: new Map(), buildArgs: new Map(), hiddenArgs: new Set() };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- no more of it is read
    const build = {
      plan,
      steps: { ...steps, flags: { access: [], step: [], cache: [] } },
    } as never;
    const heredocs = await findHeredocs(Object.assign(build, { images: new Map() }), {
      readConfig: () => Promise.reject(new Error("no image")),
    });
    const names = { pinned: new Map(), mounted: new Map(), stages: new Map(), heredocs };
    const unseen = { digests: new Map(), byTriggers: false, isRenewed: false };
    const call = createStageCall(Object.assign(build, { unseen }), plan.target, names);
    expect(call.documents.map(({ content }) => content)).toEqual(["c\n"]);
    expect(call.locate('RUN /bin/sh -c false\n"a')).toMatchObject({ span: { start: { line: 6 } } });
    expect(call.locate(`COPY --from=xbuild-heredocs x`)).toBeUndefined();
  });
});
