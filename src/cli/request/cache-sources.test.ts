import { expect, test } from "vitest";
import { captureIo } from "../../../test/support/capture-io.ts";
import { listCacheSources } from "./cache-sources.ts";

async function list(...values: readonly string[]): Promise<readonly string[]> {
  const { io } = captureIo({ cwd: "/project" });
  return (await listCacheSources(values, io)).map(({ name }) => name);
}

test.each<[string, readonly string[]]>([
  ["registry.example/app:main", ["registry.example/app:main"]],
  [
    "registry.example:5000/a,docker://registry.example/b:x",
    ["registry.example:5000/a:latest", "registry.example/b:x"],
  ],
  ["localhost/app", ["localhost/app:latest"]],
  ["oci:/a,b:x", ["oci:/a,b:x"]],
  ["docker-daemon:app:x", ["docker-daemon:app:x"]],
  ["type=registry,ref=registry.example/app,mode=max", ["registry.example/app:latest"]],
  ["type=local,src=layout", ["oci:/project/layout"]],
  ['type=local,"src=/a,b",tag=x', ["oci:/a,b:x"]],
  ["type=inline", []],
])("%s", async (value, names) => expect(await list(value)).toEqual(names));

test.each([
  ["type=gha", "a cache of type gha cannot be read"],
  ["type=local,src=x,digest=sha256:0", "a cache with digest cannot be read"],
  ["type=local", "a cache without src cannot be read"],
  ["ref=x", "a cache needs a type"],
  ['type="registry"', "its quotes do not fit"],
])("%s is refused", async (value, why) => {
  const message = `--cache-from ${value}: ${why}`;
  await expect(list(value)).rejects.toMatchObject({ code: "usage", message });
});
