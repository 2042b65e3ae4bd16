import type { z } from "zod";
import type { Span } from "../../diagnostics.ts";
import { XbuildError } from "../../errors.ts";
import { type Annotations, type JsonSource, locateJson } from "../../oci/oci.ts";
import { limitText, quoteText } from "../../text.ts";
import { refuse, type OutputDirectory, type Place } from "../../archive/archive.ts";
import {
  annotationsSchema,
  configSchema,
  entriesSchema,
  entrySchema,
  historySchema,
  isOwnAnnotation,
  type OutputConfig,
  type OutputEntry,
} from "./schema.ts";
import { readDocument } from "./document-file.ts";
import { parseJson } from "./json.ts";

/** An entry that a build listed, and where it stands. */
export interface ListedEntry {
  readonly entry: OutputEntry;
  /** The place of the entry, or of a key of it. */
  readonly locate: (...path: readonly string[]) => Place;
}

const maxFindings = 20;
const hint = "compare it with the schema in docs/protocol.md";

/**
 * The entries of `history.json` or `history.jsonl`; undefined where there is neither. Errors:
 * `output-history-twice`, `output-json-invalid`, `output-json-too-large`, `output-annotation-reserved`,
 * `layer-digest-invalid`.
 */
export function readHistory(output: OutputDirectory): readonly ListedEntry[] | undefined {
  const document = readDocument(output, "history.json");
  const lines = readDocument(output, "history.jsonl");
  if (document === undefined) return lines === undefined ? undefined : parseLines(lines);
  if (lines === undefined) return parseHistory(document);
  const hint = "write only one of the two";
  const message = "there is an output/history.json too";
  throw refuse("output-history-twice", message, { file: lines.file, hint });
}

/** `config.json`; undefined where there is none. Errors: as `readHistory`. */
export function readConfig(output: OutputDirectory): OutputConfig | undefined {
  const document = readDocument(output, "config.json");
  return document === undefined ? undefined : checkDocument(configSchema, document);
}

/** `annotations.json`. Errors: as `readHistory`. */
export function readAnnotations(output: OutputDirectory): Annotations {
  const document = readDocument(output, "annotations.json");
  if (document === undefined) return {};
  const annotations = checkDocument(annotationsSchema, document);
  const own = Object.keys(annotations).find((key) => isOwnAnnotation(key));
  if (own === undefined) return annotations;
  throw refuseOwn(own, locate(document, [own]));
}

/** The error for an annotation that only we may write. */
export function refuseOwn(key: string, place: Place): XbuildError {
  const message = `the annotation ${quoteText(key)} is reserved for xbuild`;
  return refuse("output-annotation-reserved", message, {
    ...place,
    hint: "use a name of your own domain",
  });
}

function parseLines(document: JsonSource): readonly ListedEntry[] {
  const entries: ListedEntry[] = [];
  let { start } = document;
  while (start < document.end) {
    const newline = document.bytes.indexOf(0x0a, start);
    const end = newline === -1 ? document.end : newline;
    if (!isBlank(document.bytes, start, end)) entries.push(listLine({ ...document, start, end }));
    start = end + 1;
  }
  return entries;
}

function isBlank(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at];
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d) return false;
  }
  return true;
}

function listLine(line: JsonSource): ListedEntry {
  return listEntry(line, checkDocument(entrySchema, line), []);
}

function parseHistory(document: JsonSource): readonly ListedEntry[] {
  const value = parseJson(document);
  if (Array.isArray(value)) {
    const entries = check(entriesSchema, value, document);
    return entries.map((entry, index) => listEntry(document, entry, [index]));
  }
  const { history } = check(historySchema, value, document);
  return history.map((entry, index) => listEntry(document, entry, ["history", index]));
}

function listEntry(
  document: JsonSource,
  entry: OutputEntry,
  path: readonly PropertyKey[],
): ListedEntry {
  return { entry, locate: (...rest) => locate(document, [...path, ...rest]) };
}

function checkDocument<T>(schema: z.ZodType<T>, document: JsonSource): T {
  return check(schema, parseJson(document), document);
}

function check<T>(schema: z.ZodType<T>, value: unknown, document: JsonSource): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw refuseDocument(listOnce(result.error.issues), document);
}

/** A value that has the wrong form may fail the check behind it too, which then says nothing new. */
function listOnce(issues: readonly z.core.$ZodIssue[]): readonly z.core.$ZodIssue[] {
  const told = new Set<string>();
  return issues.filter(({ path, message }) => {
    const place = JSON.stringify(path);
    const isNews = !told.has(place) || message !== "Invalid input";
    told.add(place);
    return isNews;
  });
}

/** A finding for each of the first issues; the first one is the error's message. */
function refuseDocument(issues: readonly z.core.$ZodIssue[], document: JsonSource): XbuildError {
  const shown = issues.slice(0, maxFindings);
  const spans = locateJson(
    document,
    shown.map((issue) => issue.path),
  );
  const findings = shown.map((issue, index) => refuseIssue(issue, document.file, spans[index]));
  const { file } = document;
  const first = findings[0] ?? refuse("output-json-invalid", "it is invalid", { file, hint });
  const more = issues.length - shown.length;
  return new XbuildError(first.code, first.message + (more > 0 ? `, and ${more} more` : ""), {
    hint,
    diagnostics: findings.flatMap((finding) => finding.diagnostics),
  });
}

function refuseIssue(issue: z.core.$ZodIssue, file: string, span: Span | undefined): XbuildError {
  const code = issue.path.at(-1) === "digest" ? "layer-digest-invalid" : "output-json-invalid";
  const at = issue.path.findLast((part) => typeof part === "string");
  const message = limitText(issue.message, 200);
  const place = { file, ...(span === undefined ? {} : { span }) };
  return refuse(code, at === undefined ? message : `${quoteText(at)}: ${message}`, {
    ...place,
    hint,
  });
}

function locate(document: JsonSource, path: readonly PropertyKey[]): Place {
  const [span] = locateJson(document, [path]);
  return { file: document.file, ...(span === undefined ? {} : { span }) };
}
