import { decodeText } from "../../containerfile/containerfile.ts";
import type { OutputLog, Step } from "../../reporter.ts";
import { filterLines, type LineRules } from "./line-filter.ts";
import { type SentStages, type SentStep, squeeze } from "./sent-steps.ts";

/** A call whose words are shown to the user. */
export interface ShownCall {
  readonly sent: SentStages;
  /** The name of the image that it makes, where that is nobody's but ours. */
  readonly ownImage?: string | undefined;
  /** A text of the engine with the names that the user knows. */
  readonly restoreNames: (text: string) => string;
  readonly progress?: Step["progress"] | undefined;
}

/**
 * What an engine says of a build, with the user's images, stages and lines in the place of what we have sent. Only
 * what is known to be the engine's is changed: a step's line must be the next of its stage, and word for word what was
 * sent; of other lines those with a random name of the run. What steps print themselves goes on byte for byte.
 */
export function showUserLog(log: OutputLog, call: ShownCall): OutputLog {
  const words = createWords(call);
  const commit = createCommit(call, words, log.stderr);
  const stdout = filterLines(log.stdout, { mayMatter: mayBeWord, line: words.line });
  const stderr = filterLines(log.stderr, commit.rules);
  return {
    stdout: stdout.write,
    stderr: stderr.write,
    end: () => {
      stdout.end();
      commit.end();
      stderr.end();
      words.reset();
      log.end?.();
    },
  };
}

const beginnings = ["STEP ", "COMMIT ", "Successfully tagged ", "--> "];

function mayBeWord(text: string): boolean {
  if (text.startsWith("[")) return true;
  return beginnings.some((one) => one.startsWith(text) || text.startsWith(one));
}

interface Words {
  readonly line: (line: string) => string | undefined;
  /** Whether the engine makes an image that is ours alone by now: no step runs any more. */
  readonly isOurs: () => boolean;
  readonly reset: () => void;
}

const stepLine = /^(?:\[(?<stage>\d+)\/\d+\] )?STEP (?<number>\d+)\/\d+: (?<text>.*)$/;

function createWords({ sent, ownImage, progress }: ShownCall): Words {
  /** What is still to come of each stage that was begun. */
  const coming = new Map<number, readonly SentStep[]>();
  let isOurs = false;
  const showStep = (line: string): string | undefined => {
    const { stage = "1", text = "" } = stepLine.exec(line)?.groups ?? {};
    const steps = coming.get(Number(stage)) ?? sent(Number(stage));
    const [step, ...rest] = steps;
    if (step === undefined || !isSame(text, step.text)) return line;
    coming.set(Number(stage), rest);
    const { shown } = step;
    if (shown === undefined) return undefined;
    const { number, count, stages } = shown;
    progress?.({ now: decodeText(shown.text) });
    const which = stages > 1 ? `[${shown.stage}/${stages}] ` : "";
    return `${which}STEP ${number}/${count}: ${shown.text}`;
  };
  return {
    line: (line) => {
      if (stepLine.test(line)) return showStep(line);
      if (ownImage === undefined || !isMade(line, ownImage))
        return isOurs && isId(line) ? undefined : line;
      isOurs = true;
      return undefined;
    },
    isOurs: () => isOurs,
    reset: () => {
      coming.clear();
      isOurs = false;
    },
  };
}

/** A heredoc stands behind its instruction, or its text does, whichever the engine is. */
function isSame(printed: string, sent: string): boolean {
  const text = squeeze(printed);
  if (text === sent) return true;
  const at = sent.indexOf("<<");
  if (at >= 0) return text.startsWith(sent.slice(0, at + 2));
  // buildah leaves the flag of a FROM out.
  return (
    sent.startsWith("FROM") &&
    text === sent.replace(/^FROM--platform=[\w/.$]*?(?=localhost\/)/, "FROM")
  );
}

function isMade(line: string, image: string): boolean {
  const text = line.replace(/^\[\d+\/\d+\] /, "");
  return text === `COMMIT ${image}` || text === `Successfully tagged ${image}`;
}

function isId(line: string): boolean {
  return /^(?:--> )?[0-9a-f]{11,64}$/.test(line);
}

const copying = "Getting image source signatures";
const copied = ["Copying blob ", "Copying config ", "Writing manifest to ", "Storing signatures"];
const failed = ["Error: building at STEP ", "error building at STEP "];

interface Commit {
  readonly rules: LineRules;
  /** Gives what was held back, unless it told of our image. */
  readonly end: () => void;
}

/** What is said while an image of ours is written, at the very end; the same words before it are a step's own. */
function createCommit(
  { ownImage, restoreNames }: ShownCall,
  words: Words,
  give: OutputLog["stderr"],
): Commit {
  let held = "";
  const release = (): void => {
    if (held !== "") give(Buffer.from(held, "latin1"));
    held = "";
  };
  const line = (text: string): string | undefined => {
    const isPart = held !== "" && copied.some((one) => text.startsWith(one));
    if (isPart) held += `${text}\n`;
    if (isPart) return undefined;
    release();
    if (ownImage === undefined || !text.endsWith(copying)) return restoreFailed(text, restoreNames);
    // What stands before it on its line is of a step that did not end its own.
    give(Buffer.from(text.slice(0, -copying.length), "latin1"));
    held = `${copying}\n`;
    return undefined;
  };
  const known = [copying, ...copied, ...failed];
  const mayMatter = (text: string): boolean =>
    known.some((one) => one.startsWith(text) || text.startsWith(one));
  return {
    rules: { mayMatter, line },
    end: () => {
      if (words.isOurs()) held = "";
      release();
    },
  };
}

function restoreFailed(line: string, restoreNames: ShownCall["restoreNames"]): string {
  return failed.some((one) => line.startsWith(one)) ? restoreNames(line) : line;
}
