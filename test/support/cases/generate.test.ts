import { describe, expect, test } from "vitest";
import { type Case, makeCase } from "./generate.ts";
import { listPairs } from "./pairs.ts";

// A generator that never writes a thing would never find what is wrong with it.

const cases = Array.from({ length: 300 }, (_, number) => makeCase(1, number));

function count(isSo: (one: Case) => boolean): number {
  return cases.filter(isSo).length;
}

function before(text: string): string {
  return text.split("\nOUTPUT ")[0] ?? "";
}

function after(text: string): string {
  return text.split("\nOUTPUT ")[1] ?? "";
}

describe("300 cases of seed 1", () => {
  test.each(listPairs().map(([read, change]) => [read.name, change]))(
    "have %s; changed: %s",
    (read, changed) => {
      expect(count((one) => one.read === read && one.changed === changed)).toBeGreaterThanOrEqual(
        2,
      );
    },
  );

  const texts: Readonly<Record<string, (text: string) => boolean>> = {
    "one stage": (text) => text.match(/^FROM /gm)?.length === 1,
    "four stages or more": (text) => (text.match(/^FROM /gm)?.length ?? 0) >= 4,
    "a mount of the context before OUTPUT": (text) =>
      /type=bind,(?:source|src)=/.test(before(text)),
    "a mount of the context behind OUTPUT": (text) => /type=bind,(?:source|src)=/.test(after(text)),
    "a mount of the whole context": (text) => /type=bind,(?:target|dst|destination)=/.test(text),
    "a mount of a stage": (text) => /type=bind,from=(?:from-|one|two)/.test(text),
    "a mount of an image": (text) => /type=bind,from=localhost/.test(text),
    "a mount of a named context": (text) => /type=bind,from=[sx]\w+,/.test(text),
    "a mount of a link": (text) => /(?:source|src)=\S+\/(?:link|to|out),/.test(text),
    "COPY before OUTPUT": (text) => /^COPY /m.test(before(text)),
    "COPY behind OUTPUT": (text) => /^COPY /m.test(after(text)),
    "COPY --from a stage": (text) => /^COPY --from=(?:from-|one|two)/m.test(text),
    "COPY --from an image": (text) => /^COPY --from=localhost/m.test(text),
    "COPY --from a named context": (text) => /^COPY --from=[sx]\w+ /m.test(text),
    "COPY of the whole": (text) => /^COPY .*(?: |")\.(?: |")/m.test(text),
    ADD: (text) => /^ADD /m.test(text),
    "a glob": (text) => /^(?:COPY|ADD) .*[*?]/m.test(text),
    "a glob of a class": (text) => /^(?:COPY|ADD) .*\/\[u-v]/m.test(text),
    "a source with an argument": (text) => /^ARG FROM_/m.test(text),
    "a source with a variable": (text) => /^ENV FROM_/m.test(text),
    "a source with a variable of the base": (text) => /\$HERE/.test(text),
    "a source that is a link": (text) => /^(?:COPY|ADD) .*\/link["\s]/m.test(text),
    "a source through a link": (text) => /^(?:COPY|ADD) .*\/to\/v["\s]/m.test(text),
    "the JSON form": (text) => /^(?:COPY|ADD) .*\["/m.test(text),
    "--chown": (text) => /--chown/.test(text),
    "--chmod": (text) => /--chmod/.test(text),
    "--inherit-config": (text) => /OUTPUT .*--inherit-config/.test(text),
    "OUTPUT --from": (text) => /OUTPUT .*--from=/.test(text),
    "a stage from a stage": (text) => /^FROM (?:one|two) /m.test(text),
    "a variable in FROM": (text) => /^FROM \$/m.test(text),
    ONBUILD: (text) => /^ONBUILD /m.test(text),
    SHELL: (text) => /^SHELL /m.test(text),
    USER: (text) => /^USER /m.test(text),
    WORKDIR: (text) => /^WORKDIR /m.test(text),
  };
  test.each(Object.entries(texts))("have %s", (_what, isSo) => {
    expect(count(({ world }) => isSo(world.containerfile))).toBeGreaterThanOrEqual(4);
  });

  const worlds: Readonly<Record<string, (one: Case) => boolean>> = {
    "no epoch": ({ world }) => !world.flags.some((one) => one.startsWith("--timestamp=")),
    "an image with ONBUILD": ({ world }) =>
      Object.values(world.images).some(({ text }) => text.includes("ONBUILD")),
    "a read-only volume": ({ world }) => world.flags.some((one) => /^--volume.*:ro$/.test(one)),
    "a volume": ({ world }) => world.flags.some((one) => /^--volume.*(?<!:ro)$/.test(one)),
    ".containerignore": ({ world }) =>
      world.directories["context"]?.[".containerignore"] !== undefined,
    ".dockerignore": ({ world }) => world.directories["context"]?.[".dockerignore"] !== undefined,
    "its Containerfile in the context": ({ world }) => world.isInside,
    "a variable of the environment": ({ world }) => Object.keys(world.environment).length > 0,
    "a telling change": ({ change }) => change.effect === "telling",
    "a harmless change": ({ change }) => change.effect === "harmless",
    "times that are kept": ({ change }) => change.keepsTimes === true,
  };
  test.each(Object.entries(worlds))("have %s", (_what, isSo) => {
    expect(count(isSo)).toBeGreaterThanOrEqual(5);
  });
});

test("a case is what its number says, and its change is one", () => {
  for (const one of cases) {
    expect(JSON.stringify(makeCase(1, one.number))).toBe(JSON.stringify(one));
    const changed = one.change.apply(one.world);
    expect(JSON.stringify(changed), `${one.number}: ${one.read}; ${one.changed}`).not.toBe(
      JSON.stringify(one.world),
    );
  }
});
