import { z } from "zod";
import { isJsonObject } from "../../oci/oci.ts";
import {
  type Entry,
  EntryProblem,
  parseAttestation,
  parseCaches,
  parseOutput,
  parseSecret,
  parseSsh,
  type SshEntry,
} from "./entries.ts";

/*
 * The blocks of a bake file, their variables put in, as HCL decodes them: numbers and booleans are texts where texts
 * are wanted, and the other way round. Unknown keys are left out; `unknown-keys.ts` tells of them.
 */

/** Numbers are texts already, see `expandBody`. */
const text = z.union([z.string(), z.boolean()], "a text is expected here").transform(String);
const flag = z
  .union([z.boolean(), z.enum(["true", "false", "1", "0"])], "true or false is expected here")
  .transform((given) => given === true || given === "true" || given === "1");
/** Texts that are empty, as a variable may be, are none. */
const list = z
  .array(text, "a list of texts is expected here")
  .transform((given) => [...new Set(given.filter((one) => one !== ""))]);
const nullable = z.union([text, z.null()], "a text is expected here");
const map = z
  .record(z.string(), nullable, "an object with texts is expected here")
  .transform((given) => dropNulls(given));

function dropNulls(
  given: Readonly<Record<string, string | null>>,
): Readonly<Record<string, string>> {
  const entries = Object.entries(given).flatMap(([key, value]) =>
    value === null ? [] : [[key, value] as const],
  );
  return Object.fromEntries(entries);
}

function entries(parse: (given: string | Entry) => Entry | readonly Entry[]) {
  const attributes = z.record(z.string(), nullable).transform(dropNulls);
  const given = z.union(
    [z.string(), attributes],
    "a text or an object with texts is expected here",
  );
  const entry = given.transform((one, context): readonly Entry[] => {
    if (one === "") return [];
    try {
      return [parse(one)].flat();
    } catch (error) {
      if (!(error instanceof EntryProblem)) throw error;
      context.addIssue({ code: "custom", message: error.message });
      return z.NEVER;
    }
  });
  return z.array(entry, "a list is expected here").transform((all) => all.flat());
}

const ssh = z
  .array(
    z.union(
      [z.string().transform(parseSsh), z.strictObject({ id: text, paths: list.exactOptional() })],
      "a text, or an object with id and paths, is expected here",
    ),
  )
  .transform((given): readonly SshEntry[] => given);

const resources = z.strictObject({
  memory: text.exactOptional(),
  "memory-swap": text.exactOptional(),
  "cpu-shares": text.exactOptional(),
  "cpu-period": text.exactOptional(),
  "cpu-quota": text.exactOptional(),
  "cpuset-cpus": text.exactOptional(),
  "cpuset-mems": text.exactOptional(),
});

export const resourceNames: readonly string[] = Object.keys(resources.shape);

/** A target, without its name and matrix. docs.docker.com/build/bake/reference, "Target". */
export const targetSchema = z.preprocess(
  omitNulls,
  z.object({
    description: text.exactOptional(),
    inherits: list.exactOptional(),
    annotations: list.exactOptional(),
    attest: entries(parseAttestation).exactOptional(),
    context: text.exactOptional(),
    contexts: map.exactOptional(),
    dockerfile: text.exactOptional(),
    "dockerfile-inline": text.exactOptional(),
    args: map.exactOptional(),
    labels: map.exactOptional(),
    tags: list.exactOptional(),
    "cache-from": entries(parseCaches).exactOptional(),
    "cache-to": entries(parseCaches).exactOptional(),
    target: text.exactOptional(),
    secret: entries(parseSecret).exactOptional(),
    ssh: ssh.exactOptional(),
    platforms: list.exactOptional(),
    output: entries(parseOutput).exactOptional(),
    pull: flag.exactOptional(),
    "no-cache": flag.exactOptional(),
    network: text.exactOptional(),
    "no-cache-filter": list.exactOptional(),
    "shm-size": text.exactOptional(),
    ulimits: list.exactOptional(),
    resources: resources.exactOptional(),
    call: text.exactOptional(),
    entitlements: list.exactOptional(),
    "extra-hosts": map.exactOptional(),
    policy: z.array(z.unknown()).exactOptional(),
  }),
);

/** A target, or what another one hands down to it. */
export type BakeTarget = Readonly<z.output<typeof targetSchema>>;

export const groupSchema = z.preprocess(
  omitNulls,
  z.object({ description: text.exactOptional(), targets: list }),
);

export type BakeGroup = Readonly<z.output<typeof groupSchema>>;

/** A variable, without its default: that is a value of any form. */
export const variableSchema = z.object({ type: z.string().exactOptional() });

/** What HCL takes for an attribute that is not there. */
function omitNulls(value: unknown): unknown {
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== null));
}
