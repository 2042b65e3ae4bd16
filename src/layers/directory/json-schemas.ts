import { z } from "zod";
import {
  annotationsSchema,
  configSchema,
  entriesSchema,
  entrySchema,
  historySchema,
  inputSchema,
} from "./schema.ts";

const documents: Readonly<Record<string, readonly [title: string, schema: z.ZodType]>> = {
  "history-input": ["history.json, as a build finds it", inputSchema],
  history: ["output/history.json", z.union([entriesSchema, historySchema])],
  "history-line": ["A line of output/history.jsonl", entrySchema],
  config: ["output/config.json", configSchema],
  annotations: ["output/annotations.json", annotationsSchema],
};

/**
 * The JSON Schemas (draft 2020-12) of what builds read and write, for emitters in other languages: file
 * name and text. They say what the schemas in `schema.ts` say, without rules that JSON Schema cannot
 * express (an entry has either digest or path).
 */
export function renderSchemas(): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(documents).map(([name, [title, schema]]) => [
      `${name}.schema.json`,
      renderSchema(title, schema),
    ]),
  );
}

/** The JSON Schema of a document, with a line end behind it. */
export function renderSchema(title: string, schema: z.ZodType): string {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: "input" });
  return `${JSON.stringify({ $schema, title, ...rest }, undefined, 2)}\n`;
}
