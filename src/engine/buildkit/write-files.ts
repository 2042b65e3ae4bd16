import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { assertNoTriggers } from "../containers/write-files.ts";
import { parseContainerfile } from "../../containerfile/containerfile.ts";
import { isAbsolute, join, resolve } from "node:path";
import type { LoadSource, SessionWorkspace } from "../model.ts";
import type { BuildKitClient } from "./client.ts";
import { readLayout } from "./read-layout.ts";
import { solve } from "./solve.ts";
import { emptyCall, type SolveCall } from "./solve-call.ts";

/** Writes an image's flattened files where `-o` says, by a file that has its FROM alone. Errors: as `solve`. */
export async function writeFiles(
  source: LoadSource,
  destination: string,
  { client, ...work }: SessionWorkspace & { readonly client: BuildKitClient },
): Promise<void> {
  const text = "FROM xbuild-image\n";
  assertNoTriggers(source.image, destination);
  // As skopeo takes it apart.
  const directory = source.reference.slice("oci:".length).split(":", 1)[0] ?? "";
  const { manifest } = await readLayout(directory);
  const context = join(work.run.directory, "empty");
  await mkdir(context, { recursive: true });
  const call: SolveCall = {
    ...emptyCall,
    text,
    context,
    sources: new Map([["xbuild-image", { kind: "layout", directory, digest: manifest }]] as const),
    output: { kind: "words", words: completePath(destination) },
    purpose: `-o ${destination}`,
  };
  const containerfile = parseContainerfile(Buffer.from(text), "");
  const receive = /(?:^|,)dest=-(?:,|$)|^-$/.test(destination)
    ? (bytes: AsyncIterable<Uint8Array>): Promise<void> =>
        pipeline(bytes, createWriteStream("", { fd: stdout, autoClose: false }))
    : undefined;
  await solve(
    { call, client },
    { containerfile, told: new Set(), show: () => undefined, receive },
    work,
  );
}

/** A descriptor. */
const stdout = 1;

/** A path alone is a directory, and "-" a tar on standard output, as with buildah. */
export function completePath(destination: string): string {
  if (destination === "-") return "type=tar,dest=-";
  if (!/^type=|,/.test(destination)) return `type=local,dest=${resolve(destination)}`;
  return destination
    .split(",")
    .map((field) => {
      const [key, value = ""] = field.split("=");
      return key === "dest" && value !== "-" && !isAbsolute(value)
        ? `dest=${resolve(value)}`
        : field;
    })
    .join(",");
}
