import { describe, expect, it } from "vitest";
import type { BuildCall } from "./commands.ts";
import { describePassing, pastPassingFailures } from "./passing-failures.ts";

/** What buildah 1.28 and 1.39 write with the isolation `chroot`. */
function refuse(step: string): string {
  return `Close_Fd sealing memfd copy: Device or resource busy
subprocess exited with status 1
Error: building at STEP "${step}": exit status 1
`;
}

/** Like a call with layering steps: behind them a stage that only tells what the metadata come to. */
function send(...runs: readonly string[]): { readonly mode: "single"; readonly text: string } {
  const steps = runs.map((one) => `${one}\n`).join("");
  return { mode: "single", text: `FROM base\n${steps}FROM base\nSTOPSIGNAL 15\n` };
}

function describeTail(
  tail: string,
  build: Pick<BuildCall, "mode" | "text" | "lastStage">,
  status = 1,
): string | undefined {
  return describePassing({ status, tail }, build)?.code;
}

describe("a step that the kernel did not let the engine begin", () => {
  it("is tried again where each step before is in the cache", () => {
    const build = { ...send("RUN make", "RUN pack"), mode: "cached" } as const;
    expect(describeTail(`made\n${refuse("RUN pack")}`, build)).toBe("engine-start-busy");
  });

  it("is tried again in one working container only where nothing ran before", () => {
    expect(describeTail(refuse("RUN make"), send("RUN make"))).toBe("engine-start-busy");
    const two = send("RUN make &&\\\n  make check", "RUN pack");
    expect(describeTail(refuse("RUN make &&   make check"), two)).toBe("engine-start-busy");
    expect(describeTail(refuse("RUN pack"), two)).toBeUndefined();
    expect(describeTail(refuse("RUN pack"), send("RUN pack", "RUN pack"))).toBeUndefined();
  });

  it("is no step that failed itself, or that says so in passing", () => {
    const said = "error: sealing memfd copy: Device or resource busy (twice)\n";
    expect(describeTail(said, send("RUN make"))).toBeUndefined();
    expect(describeTail(refuse("RUN make"), send("RUN make"), 0)).toBeUndefined();
  });
});

describe("an image that cannot be made", () => {
  /** What buildah 1.28 writes where another process removed a layer that the image was to have. */
  const why =
    'Error: committing container for step {Env:[] Command:env Args:[V 2]}: copying layers and metadata for container "c": committing the finished image: creating image "i": layer not known\n';
  const last = "FROM base\nSTOPSIGNAL 15\n";
  const build = { ...send("RUN make"), lastStage: last };

  it("is made again", () => {
    expect(describeTail(`made\n${why}`, build)).toBe("engine-storage-busy");
    expect(describeTail(why, { ...build, mode: "cached" })).toBe("engine-storage-busy");
  });

  it("is no step's word", () => {
    const failed = `${why}Error: building at STEP "RUN make": exit status 1\n`;
    expect(describeTail(failed, build)).toBeUndefined();
    expect(describeTail(why, build, 0)).toBeUndefined();
  });

  it("is made again without its steps, which have run", async () => {
    const calls: (readonly [string, boolean])[] = [];
    let said = "";
    const log = { stdout: (bytes: Uint8Array) => void (said += String(bytes)), stderr: () => {} };
    const warned: string[] = [];
    const result = await pastPassingFailures(
      async ({ text, quiet }, to = log) => {
        calls.push([text, quiet]);
        to.stdout(Buffer.from(`${calls.length}`));
        return calls.length < 3 ? { status: 125, tail: why } : { status: 0, tail: "" };
      },
      { ...createCall(), ...build },
      {
        log,
        signal: new AbortController().signal,
        warn: ({ code }) => void warned.push(code),
      },
    );
    expect(result.status).toBe(0);
    expect(calls).toEqual([
      [build.text, false],
      [last, true],
      [last, true],
    ]);
    expect(said).toBe("1");
    expect(warned).toEqual(["engine-storage-busy", "engine-storage-busy"]);
  });
});

function createCall(): BuildCall {
  return {
    purpose: "layering steps",
    text: "",
    context: ".",
    mode: "single",
    noCache: false,
    names: [],
    mounts: [],
    buildArgs: new Map(),
    hiddenArgs: new Set(),
    platform: undefined,
    pull: "never",
    ignoreFile: undefined,
    quiet: false,
    flags: [],
    documents: [],
    locate: () => undefined,
  };
}
