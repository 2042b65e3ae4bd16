import { createConfig } from "../../src/cli/bake/config.ts";
import { readDefinition } from "../../src/cli/bake/definition.ts";
import { readBakeDocument } from "../../src/cli/bake/document.ts";
import { resolveBake, type ResolvedBake } from "../../src/cli/bake/resolve.ts";
import { createScope } from "../../src/cli/bake/variables.ts";
import { XbuildError } from "../../src/errors.ts";

export interface BakeCall {
  readonly names?: readonly string[];
  readonly sets?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** What bake makes of these documents, the first of which is `docker-bake.json`, the second `2.json`. */
export function resolveTexts(
  texts: readonly (string | Buffer)[],
  call: BakeCall = {},
): ResolvedBake {
  const documents = texts.map((text, index) =>
    readBakeDocument(Buffer.from(text), index === 0 ? "docker-bake.json" : `${index + 1}.json`),
  );
  const definition = readDefinition(documents);
  const lookUp = (name: string): string | undefined => call.env?.[name];
  const builtIn = new Map([["BAKE_LOCAL_PLATFORM", "linux/amd64"]]);
  const config = createConfig(definition, createScope(definition, { lookUp, builtIn }));
  return resolveBake(config, { names: call.names ?? [], overrides: call.sets ?? [], lookUp });
}

/** The first line of what is refused. @throws where nothing is */
export function judgeTexts(texts: readonly (string | Buffer)[], call: BakeCall = {}): string {
  try {
    resolveTexts(texts, call);
  } catch (error) {
    if (error instanceof XbuildError) return error.message;
    throw error;
  }
  throw new Error("it was accepted");
}
