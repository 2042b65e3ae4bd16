import { beforeAll, describe, expect, test } from "vitest";
import { ociConfigType, ociManifestType } from "../../../src/oci/media-types.ts";
import { listForeign, type ForeignImage } from "../../support/foreign-documents.ts";
import { buildOnFreshMachine, listPackages, makePackages } from "../../support/machines.ts";
import { configureAccess, useRegistry } from "../../support/registry-access.ts";
import { createPusher } from "../../support/registry-documents.ts";
import { baseImage, useSandbox } from "../../support/sandbox.ts";

// A previous image can say what it likes: it is refused with words, or, where the user says so, counts as not there.

const sandbox = useSandbox();
const service = useRegistry();

let context: string;
beforeAll(async () => {
  await configureAccess(sandbox.directory, service.proxy);
  context = `${sandbox.directory}/packages`;
  await makePackages(context, baseImage, listPackages(1));
});

/** The registry itself would not take it as it is: its proxy says it. */
async function serveForeign({ manifest, config }: ForeignImage): Promise<string> {
  await createPusher(service.registry, "team/odd").pushBlob(Buffer.from(config), ociConfigType);
  service.proxy.clearFaults();
  service.proxy.fault({
    match: ({ path }) => path.startsWith("/v2/team/odd/manifests/"),
    replace: { body: Buffer.from(manifest), headers: { "content-type": ociManifestType } },
  });
  return `${service.proxy.host}/team/odd:latest`;
}

describe.each(listForeign())("a previous image with $what", (foreign) => {
  test("counts as not there, where the user says so", async () => {
    const name = await serveForeign(foreign);
    const flags = ["-t", "app", "--no-load", "--retry=0", "--ignore-cache-errors"];
    const args = [...flags, "--cache-from", name];
    const { layers, stderr } = await buildOnFreshMachine(sandbox, context, args);
    expect(layers).toEqual(["p1-1 new"]);
    expect(stderr).toMatch(/^warning\[(?:image-|registry-|copy-failed)/m);
    expect(stderr.length).toBeLessThan(8000);
  });
});
