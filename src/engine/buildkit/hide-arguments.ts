import {
  isPredefined,
  parseContainerfile,
  type SourceText,
} from "../../containerfile/containerfile.ts";
import { exitStatuses, XbuildError } from "../../errors.ts";
import { applyEdits, type Edit } from "../../plan/plan.ts";
import { mayStandInEnvironment } from "../containers/hidden-arguments.ts";
import type { SolveCall } from "./solve-call.ts";

/**
 * buildx takes hidden values from its environment, where one under a name that it or what it starts reads would change
 * how it works. Errors: `usage`.
 */
export function assertInheritable(
  hidden: ReadonlyMap<string, string>,
  env: Readonly<Record<string, string | undefined>>,
): void {
  for (const [name, value] of hidden) {
    if (env[name] === value || mayStandInEnvironment(name)) continue;
    throw refuse(name, "would change how docker buildx works, whose environment it is passed in");
  }
}

/** Of a call, with their values. */
export function listHidden({ buildArgs, hiddenArgs }: SolveCall): ReadonlyMap<string, string> {
  return new Map([...buildArgs].filter(([name]) => hiddenArgs.has(name)));
}

/**
 * buildctl takes values of build arguments on its command line alone, where other users of the machine see them: those
 * that are hidden become the defaults of the file's own ARG instructions, which is what they come to. One that no ARG
 * declares has no effect, and is left out; of the predefined ones (proxies) those stay that have no password. Errors: `usage`
 * for one of several lines, and for one that only a trigger of a base declares.
 */
export function hideArguments(call: SolveCall): SolveCall {
  const hidden = listHidden(call);
  if (hidden.size === 0) return call;
  const { instructions, escape } = parseContainerfile(Buffer.from(call.text, "latin1"), "");
  const declared = new Set<string>();
  const edits = instructions
    .filter(({ keyword }) => keyword === "ARG")
    .flatMap((one): Edit[] => {
      const words = splitWords(one.args, escape);
      const names = words.map((word) => word.split("=", 1)[0] ?? "");
      if (!names.some((name) => hidden.has(name))) return [];
      const said = words.map((word, at) => {
        const value = hidden.get(names[at] ?? "");
        if (value === undefined) return word;
        const name = names[at] ?? "";
        declared.add(name);
        return `${name}=${quote({ name, value }, escape)}`;
      });
      const breaks = "\n".repeat(one.endLine - one.span.start.line);
      return [{ span: one.span, text: `ARG ${said.join(" ")}${breaks}` }];
    });
  const text = applyEdits(call.text, { start: 0, end: call.text.length }, edits);
  const isShown = (name: string): boolean =>
    !hidden.has(name) || (isPredefined(name) && !declared.has(name));
  for (const [name, value] of hidden) assertShowable(name, value, call);
  const buildArgs = new Map([...call.buildArgs].filter(([name]) => isShown(name)));
  return { ...call, text, buildArgs };
}

/** Errors: `usage` for what the text cannot say in the place of the command line. */
function assertShowable(name: string, value: string, { triggerArgs }: SolveCall): void {
  const why =
    "which buildctl takes on its command line alone, where every user of this machine sees it";
  if (triggerArgs?.has(name) === true)
    throw refuse(name, `is declared by a trigger of a base, ${why}`);
  if (isPredefined(name) && value.includes("@")) throw refuse(name, `has a password in it, ${why}`);
}

function splitWords(args: SourceText, escape: string): readonly string[] {
  return args.match(escape === "`" ? withBacktick : withBackslash) ?? [];
}

const withBackslash = /(?:[^\s"'\\]|\\[^]|"(?:[^"\\]|\\[^])*"|'[^']*')+/g;
const withBacktick = /(?:[^\s"'`]|`[^]|"(?:[^"`]|`[^])*"|'[^']*')+/g;

interface Argument {
  readonly name: string;
  readonly value: string;
}

/** Within double quotes the escape counts before a quote, a dollar and itself. BuildKit, `shell/lex.go` */
function quote({ name, value }: Argument, escape: string): SourceText {
  if (/[\r\n]/.test(value))
    throw refuse(
      name,
      "has several lines, which buildctl takes on its command line alone, where every user of this machine sees them",
    );
  const bytes = Buffer.from(value).toString("latin1");
  return `"${bytes.replaceAll(/["$\\`]/g, (char) => (/["$]/.test(char) || char === escape ? escape + char : char))}"`;
}

function refuse(name: string, why: string): XbuildError {
  return new XbuildError("usage", `the build argument ${name} ${why}`, {
    hint: `give it as --build-arg ${name}=VALUE if it is not secret, else as --secret`,
    exitStatus: exitStatuses.usage,
  });
}
