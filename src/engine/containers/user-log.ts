import { decodeText } from "../../containerfile/containerfile.ts";
import type { OutputLog, Step } from "../../reporter.ts";
import { filterLines, type LineRules } from "./line-filter.ts";
import { type SentStages, type SentStep, type ShownStep, squeeze } from "./sent-steps.ts";

/** A call whose words are shown to the user. */
export interface ShownCall {
  readonly sent: SentStages;
  /** The name of the image that it makes, where that is nobody's but ours. */
  readonly ownImage?: string | undefined;
  /** A text of the engine with the names that the user knows. */
  readonly restoreNames: (text: string) => string;
  readonly progress?: Step["progress"] | undefined;
  readonly onStage?: StageBeginning | undefined;
}

/** Told when the engine begins with the stage of this number, and has begun with each step of the one before. */
export interface StageBeginning {
  readonly number: number;
  /** What it is called: a random name, which nobody who writes to the log can know beforehand. */
  readonly name: string;
  readonly begins: () => void;
}

/**
 * What an engine says of a build, with the user's images, stages and lines in the place of what we have sent. Only
 * what is known to be the engine's is changed: a step's line must be one that is still to come of its stage, and word for word what was
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
  readonly line: (line: string) => string;
  /** Whether the engine makes an image that is ours alone by now: no step runs any more. */
  readonly isOurs: () => boolean;
  readonly reset: () => void;
}

/** What the engine says of an instruction; a step that did not end its line stands before it. */
const stepHead = /(?:\[(?<stage>\d+)\/\d+\] )?STEP \d+\/\d+: /g;
const stageCommit = /^\[(?<stage>\d+)\/\d+\] COMMIT$/;

function createWords({ sent, ownImage, progress, onStage }: ShownCall): Words {
  /** What is still to come of each stage that was begun. */
  const coming = new Map<number, readonly SentStep[]>();
  let isOurs = false;
  let stages = 1;
  const takeStep = (stage: number, text: string): SentStep | undefined => {
    const all = coming.get(stage) ?? sent(stage);
    const at = all.findIndex((one) => isSame(text, one.text));
    if (at === -1) return undefined;
    coming.set(stage, all.slice(at + 1));
    return all[at];
  };
  const hasBegun = (stage: number): boolean => coming.get(stage)?.length === 0;
  const showStep = (line: string): string | undefined => {
    for (const { 0: head, index, groups } of line.matchAll(stepHead)) {
      const text = line.slice(index + head.length);
      if (isShellMark(text)) return line.slice(0, index);
      const number = Number(groups?.["stage"] ?? 1);
      if (number === onStage?.number && isNamed(text, onStage.name) && hasBegun(number - 1))
        onStage.begins();
      const step = takeStep(number, text);
      if (step === undefined) continue;
      const { shown } = step;
      if (shown === undefined) return line.slice(0, index);
      stages = shown.stages;
      progress?.({ now: decodeText(shown.text) });
      return `${line.slice(0, index)}${renderStep(shown)}\n`;
    }
    return undefined;
  };
  const showCommit = (line: string): string | undefined => {
    const at = ownImage === undefined ? -1 : findMade(line, ownImage);
    isOurs ||= at >= 0;
    if (at >= 0) return line.slice(0, at);
    if (isOurs && isId(line)) return "";
    const stage = stageCommit.exec(line)?.groups?.["stage"];
    if (!hasBegun(Number(stage))) return undefined;
    return `[${stage}/${stages}] COMMIT\n`;
  };
  return {
    line: (line) => showStep(line) ?? showCommit(line) ?? `${line}\n`,
    isOurs: () => isOurs,
    reset: () => {
      coming.clear();
      isOurs = false;
    },
  };
}

function isNamed(text: string, name: string): boolean {
  return /^FROM\s/i.test(text) && text.endsWith(` AS ${name}`);
}

function renderStep({ text, number, count, stage, stages }: ShownStep): string {
  const which = stages > 1 ? `[${stage}/${stages}] ` : "";
  return `${which}STEP ${number}/${count}: ${text}`;
}

/** A heredoc stands behind its instruction, or its text does, whichever the engine is. */
function isSame(printed: string, sent: string): boolean {
  const text = squeeze(printed);
  if (text === sent) return true;
  const at = sent.indexOf("<<");
  if (at >= 0) return text.startsWith(sent.slice(0, at + 2));
  if (!sent.startsWith("FROM")) return false;
  // buildah leaves the flag of a FROM out.
  if (text === sent.replace(/^FROM--platform=[\w/.$]*?(?=localhost\/)/, "FROM")) return true;
  // Of a stage that is built in the same call it says the image, and what the stage is called.
  const said = /^FROM(?:[0-9a-f]{64}|[0-9a-f]{11,12})(?<name>AS.*)?$/i.exec(text)?.groups;
  return said !== undefined && sent.toLowerCase().endsWith(said["name"]?.toLowerCase() ?? "");
}

/** What a shell's containers are told by (`shell.ts`). */
function isShellMark(printed: string): boolean {
  return /^LABEL io\.xbuild\.shell=[0-9a-f]{16}$/.test(printed);
}

/** Where on a line it is said that the image is made, or -1. */
function findMade(line: string, image: string): number {
  const said = [`COMMIT ${image}`, `Successfully tagged ${image}`].find((one) =>
    line.endsWith(one),
  );
  if (said === undefined) return -1;
  const before = line.slice(0, -said.length);
  return before.replace(/\[\d+\/\d+\] $/, "").length;
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
  const line = (text: string): string => {
    const isPart = held !== "" && copied.some((one) => text.startsWith(one));
    if (isPart) held += `${text}\n`;
    if (isPart) return "";
    const before = held;
    held = "";
    if (ownImage === undefined || !text.endsWith(copying))
      return `${before}${restoreFailed(text, restoreNames)}\n`;
    held = `${copying}\n`;
    // What stands before it on its line is of a step that did not end its own.
    return before + text.slice(0, -copying.length);
  };
  const known = [copying, ...copied, ...failed];
  const mayMatter = (text: string): boolean =>
    known.some((one) => one.startsWith(text) || text.startsWith(one));
  return {
    rules: { mayMatter, line },
    end: () => {
      if (held !== "" && !words.isOurs()) give(Buffer.from(held, "latin1"));
      held = "";
    },
  };
}

function restoreFailed(line: string, restoreNames: ShownCall["restoreNames"]): string {
  return failed.some((one) => line.startsWith(one)) ? restoreNames(line) : line;
}
