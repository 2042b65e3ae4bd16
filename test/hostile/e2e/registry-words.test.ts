import { beforeAll, describe, expect, test } from "vitest";
import { buildOnFreshMachine, listPackages, makePackages } from "../../support/machines.ts";
import { configureAccess, useRegistry } from "../../support/registry-access.ts";
import { baseImage, useSandbox } from "../../support/sandbox.ts";

// What a registry says is bounded before it is looked at: no text is long enough to keep us busy, or to fill a screen.

const sandbox = useSandbox();
const service = useRegistry();

let context: string;
let name: string;
beforeAll(async () => {
  await configureAccess(sandbox.directory, service.proxy);
  context = `${sandbox.directory}/packages`;
  name = `${service.proxy.host}/team/app:latest`;
  await makePackages(context, baseImage, listPackages(2));
  await buildOnFreshMachine(sandbox, context, ["-t", name, "--push"]);
  await makePackages(context, baseImage, listPackages(2, { p2: 2 }));
});

const size = 900_000;
/** Texts on which patterns that were there once took minutes. */
const texts = {
  "the word digest, again and again": sayError("/digest ".repeat(size / 8)),
  "one long word": sayError("x".repeat(size)),
  "a message that nearly matches": sayError("cannot match digest: ".repeat(size / 21)),
  "nested lists": "[".repeat(size),
  "lines without end": sayError(String.raw`error: manifest unknown\n`.repeat(size / 25)),
  escapes: sayError(String.raw`\u001b[2J\u009b31m`.repeat(size / 18)),
};

/** As registries say it, so that skopeo hands it on. distribution-spec v1.1, "Error Codes" */
function sayError(message: string): string {
  return `{"errors":[{"code":"UNKNOWN","message":"${message}"}]}`;
}

const requests = {
  "the previous image's manifest": /manifests\//,
  "its config": /^GET .*blobs\/sha256/,
  "an upload": /^POST .*uploads/,
};

describe.each(Object.entries(requests))("asked for %s", (_what, pattern) => {
  // An error, and for some an answer that claims to be what was asked for.
  const said = Object.entries(texts).flatMap(([what, text], index) =>
    [400, ...(index % 3 === 0 ? [200] : [])].map((status) => [what, status, text] as const),
  );
  test.each(said)("it says %s with status %i", async (_, status, text) => {
    const fault = service.proxy.fault({
      match: ({ method, path }) => pattern.test(`${method} ${path}`),
      replace: {
        status,
        body: Buffer.from(text),
        headers: { "content-type": "text/plain" },
      },
    });
    const args = ["-t", name, "--push", "--cache-from", name, "--retry=0"];
    const { stderr } = await buildOnFreshMachine(sandbox, context, args, { status: 1 });
    fault.remove();
    expect(stderr.length).toBeLessThan(8000);
    expect(stderr).toMatch(/error\[(?:registry-|copy-failed|image-invalid)/);
  });
});
