import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { maxLineLength } from "./lines.ts";
import { type ClientResult, type ClientRun, runClient } from "./run-client.ts";

const directory = mkdtempSync(join(tmpdir(), "xbuild-client-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Heard {
  readonly run: ClientRun;
  readonly lines: string[];
}

function listen(given: Partial<ClientRun> = {}): Heard {
  const lines: string[] = [];
  const progress = {
    line: (line: string) => void lines.push(line),
    countBusy: () => 0,
    end: () => undefined,
    failed: () => undefined,
    tail: () => lines.join("\n"),
  };
  const run = {
    progress,
    signal: new AbortController().signal,
    started: () => Promise.resolve(),
    stallTime: 60_000,
    isThere: () => Promise.resolve(true),
    ...given,
  };
  return { run, lines };
}

const shell = (script: string, run: ClientRun): Promise<ClientResult> =>
  runClient({ command: ["sh", "-c", script], env: { PLACE: directory } }, run);

/** A process in a session of its own that holds both pipes; the test ends it. */
function holding(name: string): string {
  onTestFinished(() => {
    process.kill(Number(readFileSync(join(directory, name), "utf8")), "SIGKILL");
  });
  return `setsid sh -c 'echo $$ > "$PLACE/${name}"; exec sleep 300' & while [ ! -s "$PLACE/${name}" ]; do sleep 0.02; done`;
}

const collect = (texts: string[]): ClientRun["receive"] => {
  return async (bytes) => {
    for await (const one of bytes) texts.push(Buffer.from(one).toString());
  };
};

describe("a client", () => {
  it("is heard line by line, and what it writes is taken", async () => {
    const texts: string[] = [];
    const { run, lines } = listen({ receive: collect(texts) });
    const result = await shell("echo out; printf 'one\\ntwo' >&2; exit 3", run);
    expect(result).toEqual({ status: 3, isStalled: false });
    expect([texts.join(""), lines]).toEqual(["out\n", ["one", "two"]]);
  });

  it("that is not there is told of", async () => {
    for (const program of [join(directory, "none"), "a\0b"])
      await expect(runClient({ command: [program], env: {} }, listen().run)).rejects.toMatchObject({
        code: "engine-not-found",
      });
  });

  it("may leave behind what holds its streams", async () => {
    const texts: string[] = [];
    const { run, lines } = listen({ receive: collect(texts), lingerTime: 200 });
    const result = await shell(`${holding("usual")}; echo out; echo err >&2`, run);
    expect(result).toEqual({ status: 0, isStalled: false });
    expect([texts.join(""), lines]).toEqual(["out\n", ["err"]]);
  });

  it("is given up with what it left behind as soon as that is asked for", async () => {
    const controller = new AbortController();
    const { run } = listen({ signal: controller.signal });
    const ended = shell(`${holding("aborted")}; echo ready >&2`, {
      ...run,
      progress: { ...run.progress, line: () => controller.abort() },
    });
    await expect(ended).resolves.toMatchObject({ isStalled: false });
  });

  it("from which nothing comes is given up with what it left behind", async () => {
    const { run } = listen({ stallTime: 400 });
    const result = await shell(`${holding("stalled")}; exec sleep 300`, run);
    expect(result).toMatchObject({ isStalled: true });
  });

  it("is not waited for by whoever takes its bytes, and waits for something else", async () => {
    const controller = new AbortController();
    const receive = async (bytes: AsyncIterable<Uint8Array>): Promise<void> => {
      for await (const _ of bytes) {
        controller.abort();
        await new Promise(() => undefined);
      }
    };
    const { run } = listen({ signal: controller.signal, receive });
    await expect(shell("echo out", run)).resolves.toMatchObject({ isStalled: false });
  });

  it("may be slow to be read", async () => {
    const texts: string[] = [];
    const receive = async (bytes: AsyncIterable<Uint8Array>): Promise<void> => {
      for await (const one of bytes) {
        await new Promise((resolve) => setTimeout(resolve, 500));
        texts.push(Buffer.from(one).toString());
      }
    };
    await shell("echo one; sleep 0.1; echo two", listen({ receive, lingerTime: 100 }).run);
    expect(texts.join("")).toBe("one\ntwo\n");
  });

  it("may write a line that is longer than a string", async () => {
    const script =
      'const b = Buffer.alloc(1 << 20, 120); for (let i = 0; i < 600; i++) require("fs").writeSync(2, b); require("fs").writeSync(2, "\\nend\\n")';
    const { run, lines } = listen();
    await runClient({ command: [process.execPath, "-e", script], env: {} }, run);
    expect(lines.map((one) => one.length)).toEqual([maxLineLength, 3]);
  });

  it("is ended where its words cannot be told, or its bytes cannot be taken", async () => {
    const fault = new Error("no");
    const fail = (): never => {
      throw fault;
    };
    const { run } = listen();
    const script = "echo out; echo err >&2; exec sleep 300";
    const mute = { ...run, progress: { ...run.progress, line: fail } };
    await expect(shell(script, mute)).rejects.toBe(fault);
    const receive = (): Promise<void> => Promise.reject(fault);
    await expect(shell(script, { ...run, receive })).rejects.toBe(fault);
    await expect(shell(script, { ...run, started: fail })).rejects.toBe(fault);
  });
});
