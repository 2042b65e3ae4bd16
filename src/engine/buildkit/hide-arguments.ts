import { parseContainerfile, type SourceText } from "../../containerfile/containerfile.ts";
import { applyEdits, type Edit } from "../../plan/plan.ts";
import type { SolveCall } from "./solve-call.ts";

/**
 * buildctl takes values of build arguments on its command line alone, where other users of the machine see them: those
 * that are hidden become the defaults of the file's own ARG instructions, which is what they come to. One that no ARG
 * declares has no effect, but for the predefined ones (proxies), which stay.
 */
export function hideArguments(call: SolveCall): SolveCall {
  const hidden = new Map([...call.buildArgs].filter(([name]) => call.hiddenArgs.has(name)));
  if (hidden.size === 0) return call;
  const { instructions, escape } = parseContainerfile(Buffer.from(call.text, "latin1"), "");
  const declared = new Set<string>();
  const edits = instructions
    .filter(({ keyword }) => keyword === "ARG")
    .flatMap((one): Edit[] => {
      const words = splitWords(one.args);
      const names = words.map((word) => word.split("=", 1)[0] ?? "");
      if (!names.some((name) => hidden.has(name))) return [];
      const said = words.map((word, at) => {
        const value = hidden.get(names[at] ?? "");
        if (value === undefined) return word;
        declared.add(names[at] ?? "");
        return `${names[at]}=${quote(value, escape)}`;
      });
      const breaks = "\n".repeat(one.endLine - one.span.start.line);
      return [{ span: one.span, text: `ARG ${said.join(" ")}${breaks}` }];
    });
  const text = applyEdits(call.text, { start: 0, end: call.text.length }, edits);
  const buildArgs = new Map([...call.buildArgs].filter(([name]) => !declared.has(name)));
  return { ...call, text, buildArgs };
}

function splitWords(args: SourceText): readonly string[] {
  return args.match(/(?:[^\s"'\\`]|[\\`][^]|"(?:[^"\\`]|[\\`][^])*"|'[^']*')+/g) ?? [];
}

/** One line: an ARG's value that has several cannot be said in a file. */
function quote(value: string, escape: string): SourceText {
  const bytes = Buffer.from(value).toString("latin1");
  return `"${bytes.replaceAll(/["$\\`]/g, (char) => (char === "`" && escape !== "`" ? char : escape + char))}"`;
}
