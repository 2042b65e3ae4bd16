import { expect, test } from "vitest";
import { parseReference } from "./reference.ts";

const digest = `sha256:${"a".repeat(64)}`;

test.each([
  ["registry.example/app", "docker://registry.example/app:latest", "registry.example/app"],
  [
    "docker://registry.example:5000/team/app:1",
    "docker://registry.example:5000/team/app:1",
    "registry.example:5000/team/app",
  ],
  ["localhost/app", "docker://localhost/app:latest", "localhost/app"],
  ["debian", "docker://docker.io/library/debian:latest", "docker.io/library/debian"],
  ["user/app:2", "docker://docker.io/user/app:2", "docker.io/user/app"],
  ["docker.io/debian", "docker://docker.io/library/debian:latest", "docker.io/library/debian"],
  [`r.example/app@${digest}`, `docker://r.example/app@${digest}`, "r.example/app"],
  [`r.example/app:1@${digest}`, `docker://r.example/app@${digest}`, "r.example/app"],
])("%s is %s", (text, full, repository) => {
  expect(parseReference(text)).toMatchObject({ text: full, repository });
});

test.each(["oci:/a/dir:name", "docker-archive:x.tar", "containers-storage:localhost/x", "dir:/x"])(
  "%s is in no registry",
  (text) => {
    expect(parseReference(text)).toEqual({
      text,
      name: text,
      repository: undefined,
      digest: undefined,
    });
  },
);

test("a short name is looked up", () => {
  const options = {
    resolveShortName: (name: string) => (name === "app" ? "r.example/team/app" : undefined),
  };
  expect(parseReference("app:3", options).text).toBe("docker://r.example/team/app:3");
  expect(parseReference("other", options).text).toBe("docker://docker.io/library/other:latest");
});

test.each([
  "",
  "docker://",
  "r.example/App",
  "r.example/app:",
  "r.example/app@sha256:AB",
  "a@b@c",
  "x y",
])("%j is refused", (text) => {
  expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: "name-invalid" }));
});
