import { readSync } from "node:fs";
import type { z } from "zod";
import { XbuildError } from "../../errors.ts";
import type { Annotations } from "../../oci/model.ts";
import { refuse } from "../refuse.ts";
import type { Place } from "../refuse.ts";
import {
  annotationsSchema,
  configSchema,
  entriesSchema,
  entrySchema,
  historySchema,
  isOwnAnnotation,
} from "../schema.ts";
import type { OutputConfig, OutputEntry } from "../schema.ts";
import type { OutputDirectory, OutputFile } from "./directory.ts";
import { assertUnchanged, changed, closeFile, openFile, showName, statName } from "./directory.ts";
import { locateJson, parseJson } from "./json.ts";

/** An entry that a build listed, and where it stands. */
export interface ListedEntry {
  readonly entry: OutputEntry;
  /** The place of the entry, or of a key of it. */
  readonly locate: (...path: readonly string[]) => Place;
}

/** Bytes. */
const maxDocumentSize = 4 * 1024 * 1024;
const maxFindings = 20;
const hint = "The schema is in docs/protocol.md.";

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
  const hint = "Write one of the two.";
  const message = "it stands beside output/history.json";
  throw refuse("output-history-twice", message, { file: lines.file }, hint);
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
  const message = `the annotation ${JSON.stringify(key)} is not for a build to set`;
  return refuse("output-annotation-reserved", message, place, "Use a name of your own domain.");
}

interface Document {
  readonly bytes: Buffer;
  readonly file: string;
  /** The part of the file that is the document: a line of it, or the whole. */
  readonly start: number;
  readonly end: number;
}

function readDocument(output: OutputDirectory, name: string): Document | undefined {
  const stats = statName(output, name);
  if (stats === undefined) return undefined;
  const shown = showName(output, name);
  if (stats.type === "file" && stats.size > maxDocumentSize) {
    const message = `it is larger than ${maxDocumentSize} bytes`;
    throw refuse(
      "output-json-too-large",
      message,
      { file: shown },
      "Leave out what is not needed.",
    );
  }
  const file = openFile(output, name, stats);
  try {
    const bytes = readWhole(file);
    return { bytes, file: shown, start: 0, end: bytes.length };
  } finally {
    closeFile(file);
  }
}

function readWhole(file: OutputFile): Buffer {
  const bytes = Buffer.alloc(file.stats.size);
  let done = 0;
  while (done < bytes.length) {
    const length = readSync(file.fd, bytes, done, bytes.length - done, done);
    if (length === 0) throw changed(file.shown);
    done += length;
  }
  assertUnchanged(file);
  return bytes;
}

function parseLines(document: Document): readonly ListedEntry[] {
  const entries: ListedEntry[] = [];
  let start = 0;
  while (start < document.end) {
    const newline = document.bytes.indexOf(0x0a, start);
    const end = newline === -1 ? document.end : newline;
    const isEmpty = document.bytes.toString("latin1", start, end).trim() === "";
    if (!isEmpty) entries.push(listLine({ ...document, start, end }));
    start = end + 1;
  }
  return entries;
}

function listLine(line: Document): ListedEntry {
  return listEntry(line, checkDocument(entrySchema, line), []);
}

function parseHistory(document: Document): readonly ListedEntry[] {
  const value = parseJson(document.bytes, document.file);
  if (Array.isArray(value)) {
    const entries = check(entriesSchema, value, document);
    return entries.map((entry, index) => listEntry(document, entry, [index]));
  }
  const { history } = check(historySchema, value, document);
  return history.map((entry, index) => listEntry(document, entry, ["history", index]));
}

function listEntry(
  document: Document,
  entry: OutputEntry,
  path: readonly PropertyKey[],
): ListedEntry {
  return { entry, locate: (...rest) => locate(document, [...path, ...rest]) };
}

function checkDocument<T>(schema: z.ZodType<T>, document: Document): T {
  const { bytes, file, start, end } = document;
  return check(schema, parseJson(bytes, file, start, end), document);
}

function check<T>(schema: z.ZodType<T>, value: unknown, document: Document): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw refuseDocument(result.error.issues, document);
}

/** One finding for each issue; the first one is the error's message. */
function refuseDocument(issues: readonly z.core.$ZodIssue[], document: Document): XbuildError {
  const findings = issues.slice(0, maxFindings).map((issue) => {
    const code = issue.path.at(-1) === "digest" ? "layer-digest-invalid" : "output-json-invalid";
    const at = issue.path.findLast((part) => typeof part === "string");
    const message = at === undefined ? issue.message : `${JSON.stringify(at)}: ${issue.message}`;
    return refuse(code, message, locate(document, issue.path), hint);
  });
  const first = findings[0] ?? refuse("output-json-invalid", "it is invalid", document, hint);
  return new XbuildError(first.code, first.message, {
    hint,
    diagnostics: findings.flatMap((finding) => finding.diagnostics),
  });
}

function locate(document: Document, path: readonly PropertyKey[]): Place {
  const { bytes, file, start, end } = document;
  return { file, span: locateJson(bytes, path, start, end) };
}
