import { once } from "node:events";
import { describe, expect, it } from "vitest";
import type { Diagnostic } from "../../diagnostics.ts";
import type { EngineWorkspace } from "../model.ts";
import { type Builders, createBuilders, onBuilder, type Seat } from "./builders.ts";
import { createBuildctl } from "./client.ts";
import { BuilderLostError } from "./failures.ts";

const create = (...names: readonly string[]): Builders =>
  createBuilders(names.map((name) => createBuildctl(name, [])));

interface Work extends EngineWorkspace {
  readonly warnings: readonly Diagnostic[];
}

function createWork(signal = new AbortController().signal): Work {
  const warnings: Diagnostic[] = [];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that is asked of it
  return {
    warnings,
    signal,
    reporter: { warn: (one: Diagnostic) => warnings.push(one) },
  } as unknown as Work;
}

const lost = (name: string): BuilderLostError =>
  new BuilderLostError("builder-lost", `the builder ${name} is gone`, { hint: "see" });

describe("builders", () => {
  it("are spread: the one with the fewest, the first of several", () => {
    const builders = create("a", "b", "c");
    const taken = [1, 2, 3, 4].map(() => builders.take());
    expect(taken.map((one) => one?.client.name)).toEqual(["a", "b", "c", "a"]);
    taken[1]?.release();
    // Nothing is given back twice.
    taken[1]?.release();
    taken[2]?.release();
    expect([1, 2, 3].map(() => builders.take()?.client.name)).toEqual(["b", "c", "b"]);
  });

  it("that were given up are taken by nobody", () => {
    const builders = create("a", "b");
    builders.take()?.giveUp();
    expect([1, 2].map(() => builders.take()?.client.name)).toEqual(["b", "b"]);
    builders.take()?.giveUp();
    expect(builders.take()).toBeUndefined();
  });
});

describe("a call", () => {
  it("stays on the seat's builder", async () => {
    const builders = create("a", "b");
    const seat: Seat = { current: undefined };
    const work = createWork();
    const call = (): Promise<string> =>
      onBuilder({ seat, builders }, (client) => Promise.resolve(client.name), work);
    expect(await Promise.all([call(), call()])).toEqual(["a", "a"]);
    const other = await onBuilder(
      { seat: { current: undefined }, builders },
      (client) => Promise.resolve(client.name),
      work,
    );
    expect(other).toBe("b");
    expect(work.warnings).toEqual([]);
  });

  it("begins again on another one where its own is gone, and says so", async () => {
    const builders = create("a", "b", "c");
    const seat: Seat = { current: undefined };
    const work = createWork();
    const asked: string[] = [];
    const result = await onBuilder(
      { seat, builders },
      ({ name }) => {
        asked.push(name);
        return name === "c" ? Promise.resolve("done") : Promise.reject(lost(name));
      },
      work,
    );
    expect([result, asked, seat.current?.client.name]).toEqual(["done", ["a", "b", "c"], "c"]);
    expect(work.warnings.map(({ code, message, hint }) => [code, message, hint])).toEqual([
      ["builder-lost", "the builder a is gone; its work begins again on b", "see"],
      ["builder-lost", "the builder b is gone; its work begins again on c", "see"],
    ]);
    expect(builders.take()?.client.name).toBe("c");
  });

  it("fails with what the last one has said, and the next one at once", async () => {
    const builders = create("a", "b");
    const seat: Seat = { current: undefined };
    const work = createWork();
    const call = (): Promise<never> =>
      onBuilder({ seat, builders }, ({ name }) => Promise.reject(lost(name)), work);
    await expect(call()).rejects.toThrow("the builder b is gone");
    expect(work.warnings).toHaveLength(1);
    const other: Seat = { current: undefined };
    const next = onBuilder({ seat: other, builders }, () => Promise.resolve(1), work);
    await expect(next).rejects.toMatchObject({
      code: "builder-lost",
      message: "no builder is left",
    });
  });

  it("fails at once where it is no fault of the builder, or nobody wants it any more", async () => {
    const builders = create("a", "b");
    const seat: Seat = { current: undefined };
    const work = createWork();
    const step = onBuilder({ seat, builders }, () => Promise.reject(new Error("a step")), work);
    await expect(step).rejects.toThrow("a step");
    const stopped = createWork(AbortSignal.abort());
    const late = onBuilder({ seat, builders }, () => Promise.reject(lost("a")), stopped);
    await expect(late).rejects.toThrow("the builder a is gone");
    expect(seat.current?.client.name).toBe("a");
    expect([...work.warnings, ...stopped.warnings]).toEqual([]);
  });

  it("that notices the loss beside another one goes where that one has gone", async () => {
    const builders = create("a", "b", "c");
    const seat: Seat = { current: undefined };
    const work = createWork();
    const [first, second] = [createGate(), createGate()];
    const call = (gate: Gate, asked: string[]): Promise<string> =>
      onBuilder(
        { seat, builders },
        async ({ name }) => {
          asked.push(name);
          if (name !== "a") return name;
          await gate.opened;
          throw lost(name);
        },
        work,
      );
    const [one, other]: [string[], string[]] = [[], []];
    const results = Promise.all([call(first, one), call(second, other)]);
    first.open();
    second.open();
    expect(await results).toEqual(["b", "b"]);
    expect([one, other]).toEqual([
      ["a", "b"],
      ["a", "b"],
    ]);
    // The seat has one place alone: b has the work of one build, c that of none.
    expect([1, 2].map(() => builders.take()?.client.name)).toEqual(["c", "b"]);
    expect(work.warnings.map(({ message }) => message)).toEqual([
      "the builder a is gone; its work begins again on b",
    ]);
  });

  it("that hears of it later than another one has lost the next one, too, takes the third", async () => {
    const builders = create("a", "b", "c");
    const seat: Seat = { current: undefined };
    const late = createGate();
    const work = createWork();
    const slow = onBuilder(
      { seat, builders },
      async ({ name }) => {
        if (name !== "a") return name;
        await late.opened;
        throw lost(name);
      },
      work,
    );
    const quick = onBuilder(
      { seat, builders },
      ({ name }) => (name === "c" ? Promise.resolve(name) : Promise.reject(lost(name))),
      work,
    );
    expect(await quick).toBe("c");
    late.open();
    expect(await slow).toBe("c");
  });
});

interface Gate {
  readonly opened: Promise<void>;
  readonly open: () => void;
}

function createGate(): Gate {
  const gate = new AbortController();
  const opened = once(gate.signal, "abort").then(() => undefined);
  return { opened, open: () => gate.abort() };
}
