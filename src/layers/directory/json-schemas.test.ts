import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { renderSchemas } from "./json-schemas.ts";

const directory = new URL("../../../docs/schemas/", import.meta.url);

describe("docs/schemas", () => {
  it.each([...renderSchemas()])("%s is what scripts/schemas.ts writes", (name, text) => {
    // As documents: the formatter has its own mind about the text.
    const written: unknown = JSON.parse(readFileSync(new URL(name, directory), "utf8"));
    expect(written).toEqual(JSON.parse(text));
  });

  it("has no other files", () => {
    expect(readdirSync(directory).sort((a, b) => (a < b ? -1 : 1))).toEqual(
      [...renderSchemas().keys()].sort((a, b) => (a < b ? -1 : 1)),
    );
  });
});
