import { expect, test } from "vitest";
import {
  createStep,
  nameLines,
  nameStageLines,
  nameTargetLines,
  type Reporter,
} from "./reporter.ts";

function record(): { readonly reporter: Reporter; readonly text: () => string } {
  const chunks: Uint8Array[] = [];
  const write = (chunk: Uint8Array): void => void chunks.push(chunk);
  const say = (text: string): void => write(Buffer.from(`${text}\n`));
  const reporter: Reporter = {
    log: { stdout: write, stderr: write },
    step: (title) => {
      say(title);
      return createStep(() => undefined);
    },
    warn: () => undefined,
    explain: say,
  };
  return { reporter, text: () => Buffer.concat(chunks).toString() };
}

function write({ log }: Reporter, text: string): void {
  log.stdout(Buffer.from(text));
}

test("lines have the stage's name, whatever parts they come in; the last one needs no end", () => {
  const { reporter, text } = record();
  const one = nameLines(reporter, "one");
  write(one, "a\nb");
  write(nameLines(reporter, "two"), "x\n");
  write(one, "c\n\nlast");
  one.log.end?.();
  one.log.end?.();
  expect(text()).toBe("[one] a\n[two] x\n[one] bc\n[one] \n[one] last\n");
});

test("a line that has no end for long is not waited for", () => {
  const { reporter, text } = record();
  const one = nameLines(reporter, "one");
  write(one, "x".repeat(70_000));
  expect(text()).toHaveLength("[one] ".length + 70_001);
});

test("stages of a target that is built beside others have their own name alone, for each platform", () => {
  const { reporter, text } = record();
  const target = nameTargetLines(reporter, "app");
  write(target, "t\n");
  nameStageLines(target, "stage").step("title");
  const onPlatform = nameLines(target, "linux/arm64");
  write(onPlatform, "p\n");
  write(nameStageLines(onPlatform, "stage"), "s\n");
  write(nameStageLines(nameLines(reporter, "linux/amd64"), "stage"), "s\n");
  expect(text()).toBe(
    "[app] t\nstage: title\n[app] [linux/arm64] p\n[linux/arm64] [stage] s\n[linux/amd64] [stage] s\n",
  );
});
