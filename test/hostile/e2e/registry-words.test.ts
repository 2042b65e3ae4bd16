import { beforeAll, describe, expect, test } from "vitest";
import { buildOnFreshMachine, listPackages, makePackages } from "../../helpers/machines.ts";
import { configureAccess, useRegistry } from "../../helpers/registry-access.ts";
import { baseImage, useSandbox } from "../../helpers/sandbox.ts";

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
  "the word digest, again and again": "/digest ".repeat(size / 8),
  "one long word": "x".repeat(size),
  "a message in a message": `{"errors":[{"message":"${"cannot match digest: ".repeat(size / 21)}"}]}`,
  "nested lists": "[".repeat(size),
  "lines without end": "error: manifest unknown\n".repeat(size / 24),
  escapes: "\u001b[2J\u009b31m".repeat(size / 10),
};

const requests = {
  "the previous image's manifest": /manifests\//,
  "its config": /^GET .*blobs\/sha256/,
  "an upload": /^POST .*uploads/,
};

describe.each(Object.entries(requests))("asked for %s", (_what, pattern) => {
  // An error, and an answer that claims to be what was asked for, in turn.
  const said = Object.entries(texts).map(([what, text], index) => [what, text, index] as const);
  test.each(said)("it says %s", async (_, text, index) => {
    const fault = service.proxy.fault({
      match: ({ method, path }) => pattern.test(`${method} ${path}`),
      replace: {
        status: index % 2 === 0 ? 500 : 200,
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
