import { readdirSync, readFileSync } from "node:fs";

/** A fenced block of a page. */
export interface Snippet {
  /** From the project's root. */
  readonly page: string;
  /** Of its fence, from 1. */
  readonly line: number;
  readonly text: string;
  /**
   * What is done with it: the first word of the comment before it (`<!-- snippet: KIND [NAME] -->`), or in the pages of
   * rules, whose form says it, `bad` and `good`; undefined where nothing says so.
   */
  readonly kind: string | undefined;
  /** The word behind it; of a rule's its code. */
  readonly name: string;
}

const root = new URL("../../", import.meta.url);

/** README.md, docs/ and the pages of examples/. */
export function listPages(): readonly string[] {
  const docs = readdirSync(new URL("docs/", root), { recursive: true, encoding: "utf8" });
  const examples = readdirSync(new URL("examples/", root));
  return [
    "README.md",
    ...docs.filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`),
    ...examples.map((name) => `examples/${name}/README.md`),
  ].toSorted();
}

export function readPage(page: string): string {
  return readFileSync(new URL(page, root), "utf8");
}

/** All of the pages, in order. */
export function listSnippets(): readonly Snippet[] {
  return listPages().flatMap((page) => readSnippets(page, readPage(page)));
}

/** @throws where a block does not end */
export function readSnippets(page: string, text: string): readonly Snippet[] {
  const lines = text.split("\n");
  const snippets: Snippet[] = [];
  let heading = "";
  let said = "";
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    const fence = /^ *(?:```+|~~~+)/.exec(line)?.[0].trim();
    if (fence === undefined) {
      heading = /^## (?<code>.*)$/.exec(line)?.groups?.["code"] ?? heading;
      if (line !== "") said = line;
      continue;
    }
    const end = lines.findIndex((one, index) => index > at && one.trim() === fence);
    if (end === -1) throw new Error(`${page}:${at + 1}: the block does not end`);
    const kind = page.startsWith("docs/rules/") ? readRule(said, heading) : readMark(lines[at - 1]);
    snippets.push({
      page,
      line: at + 1,
      text: `${lines.slice(at + 1, end).join("\n")}\n`,
      ...kind,
    });
    at = end;
  }
  return snippets;
}

function readMark(line = ""): Pick<Snippet, "kind" | "name"> {
  const groups = /^<!-- snippet: (?<kind>[a-z]+)(?: (?<name>[a-z-]+))? -->$/.exec(line)?.groups;
  return { kind: groups?.["kind"], name: groups?.["name"] ?? "" };
}

function readRule(said: string, code: string): Pick<Snippet, "kind" | "name"> {
  const kinds: Readonly<Record<string, string>> = { "Instead of": "bad", write: "good" };
  return { kind: kinds[said], name: code };
}

/** The lines in a text that call a program of ours, each in its words; comments, redirections and variables before it aside. */
export function listCalls(text: string, program: string): readonly (readonly string[])[] {
  const call = new RegExp(String.raw`(?:^|[\s|;&(\`])${program} (?<rest>.*)$`);
  return text
    .replaceAll(/\\\n\s*/g, " ")
    .replaceAll(/\$\{\w+:\+([^}]*)\}/g, "$1")
    .split("\n")
    .filter((line) => !/^\s*#/.test(line))
    .flatMap((line) => {
      const rest = call.exec(line)?.groups?.["rest"];
      return rest === undefined ? [] : [splitWords(rest)];
    });
}

/** As a shell splits a command, up to what ends it. */
function splitWords(text: string): readonly string[] {
  const words: string[] = [];
  for (const [token] of text.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'|;&<>)])+|[|;&<>)]|#.*$/g)) {
    if (/^[#|;&<>)]/.test(token)) break;
    words.push(token.replaceAll(/["']/g, ""));
  }
  return words;
}
