import { type Code, codes, findPage } from "../src/codes.ts";

/** A page's text by its name, such as `docs/errors/store.md`. */
type ReadPage = (name: string) => string;

const errorHead = `# Errors and warnings

What xbuild refuses, fails at and warns of, by area. Behind each code stands the beginning of what its page says.
`;

const ruleHead = `# Rules

What \`xbuild check\` can find, and what a build with OUTPUT refuses or warns of. Errors end such a build; a file
without OUTPUT is the engine's to judge. Lines and columns count from 1, columns count bytes.
`;

/** `docs/errors/README.md`: every code but the rules', a table an area. */
export function renderErrorIndex(readPage: ReadPage): string {
  return renderIndex(errorHead, "docs/errors/", readPage);
}

/** `docs/rules/README.md`: the rules. */
export function renderRuleIndex(readPage: ReadPage): string {
  return renderIndex(ruleHead, "docs/rules/", readPage);
}

function renderIndex(head: string, directory: string, readPage: ReadPage): string {
  const listed = Object.keys(codes)
    .filter((text): text is Code => Object.hasOwn(codes, text))
    .filter((code) => findPage(code).startsWith(directory));
  const pages = [...new Set(listed.map((code) => findPage(code).replace(/#.*$/, "")))];
  const tables = pages.map((page) => {
    const rows = listed.filter((code) => findPage(code) === `${page}#${code}`);
    return renderTable(page.slice(directory.length), readPage(page), rows);
  });
  return [head, ...tables].join("\n");
}

function renderTable(name: string, text: string, rows: readonly Code[]): string {
  const title = /^# (?<title>.*)$/m.exec(text)?.groups?.["title"] ?? "";
  return [
    `## [${title}](${name})`,
    "",
    "| code | | about |",
    "|---|---|---|",
    ...rows.map(
      (code) =>
        `| [${code}](${name}#${code}) | ${codes[code].severity} | ${readSummary(text, code)} |`,
    ),
    "",
  ].join("\n");
}

/** The first sentence of a code's section, without its full stop. */
function readSummary(text: string, code: Code): string {
  const section = text.split(`\n## ${code}\n`)[1] ?? "";
  const summary = /^\n\*[^*]+\.\* (?<summary>[^\n]+?)(?:\.(?: |\n)|: )/.exec(section)?.groups?.[
    "summary"
  ];
  if (summary === undefined) throw new Error(`${code} has no section that begins with a sentence`);
  return summary;
}
