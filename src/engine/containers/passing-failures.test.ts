import { describe, expect, it } from "vitest";
import { describePassing } from "./passing-failures.ts";

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
  build: { readonly mode: "cached" | "single"; readonly text: string },
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
