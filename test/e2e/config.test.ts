import { expect, test } from "vitest";
import { baseImage, useSandbox } from "../support/sandbox.ts";

const sandbox = useSandbox();
const addLayer = "RUN /layers/bin/layer add passwd /etc/passwd";

test("metadata instructions are evaluated in the environment and hold for the image", async () => {
  const project = await sandbox.project({
    "Containerfile.x": `FROM ${baseImage}
ENV BEFORE=outer NUMBER=5
WORKDIR /work
LABEL lost=yes
CMD ["lost"]
OUTPUT /layers
${addLayer}
ENV AFTER="\${BEFORE}-\${NUMBER:-6}-\${MISSING:-none}" SECOND=$NUMBER
ENV LEGACY form with  spaces
WORKDIR sub
WORKDIR deeper
RUN test "$PWD" = /work/sub/deeper && test "$AFTER" = outer-5-none
EXPOSE 80 443/tcp 53/udp 8000-8002
VOLUME ["/data", "/more data"]
LABEL one=1 "two words"="2 \${BEFORE}"
HEALTHCHECK --interval=5s --retries=2 CMD ["/bin/true"]
SHELL ["/bin/sh", "-e", "-c"]
USER app:app
STOPSIGNAL SIGUSR1
ONBUILD RUN echo triggered
MAINTAINER someone <someone@example.org>
ENTRYPOINT ["/bin/echo"]
CMD echo $AFTER
`,
  });
  const { image } = await project.build();
  expect(image.container).toEqual({
    User: "app:app",
    ExposedPorts: {
      "443/tcp": {},
      "53/udp": {},
      "80/tcp": {},
      // As buildah 1.28 has it.
      "8000-8002/tcp": {},
    },
    Env: ["AFTER=outer-5-none", "SECOND=5", "LEGACY=form with  spaces"],
    Entrypoint: ["/bin/echo"],
    // buildah 1.28 does not take SHELL's shell for a CMD.
    Cmd: ["/bin/sh", "-c", "echo $AFTER"],
    Volumes: { "/data": {}, "/more data": {} },
    WorkingDir: "/work/sub/deeper",
    Labels: { one: "1", "two words": "2 outer" },
    StopSignal: "SIGUSR1",
    Healthcheck: { Test: ["CMD", "/bin/true"], Interval: 5_000_000_000, Retries: 2 },
    Shell: ["/bin/sh", "-e", "-c"],
    OnBuild: ["RUN echo triggered"],
  });
  expect(image.config.author).toBe("someone <someone@example.org>");
});

test("a range of ports that the environment has already is not lost", async () => {
  const project = await sandbox.project({
    "Containerfile.x": `FROM ${baseImage}\nEXPOSE 8000-8002\nOUTPUT /layers\n${addLayer}\nEXPOSE 8000-8002\n`,
  });
  const { image } = await project.build(["--no-load"]);
  expect(image.container.ExposedPorts).toEqual({ "8000-8002/tcp": {} });
});

test("an image without metadata instructions has an empty config", async () => {
  const project = await sandbox.project({
    "Containerfile.x": `FROM ${baseImage}\nENV A=b\nUSER root\nOUTPUT /layers\n${addLayer}\n`,
  });
  const { image } = await project.build();
  expect(image.container).toEqual({});
  expect(image.config.history).toHaveLength(1);
});

test("--inherit-config starts from the environment's config", async () => {
  const project = await sandbox.project({
    "Containerfile.x": `FROM ${baseImage}
ENV KEPT=1 CHANGED=1
LABEL kept=1 changed=1
EXPOSE 80
VOLUME /data
USER app
WORKDIR /work
ENTRYPOINT ["/entry"]
CMD ["argument"]
ONBUILD RUN false
OUTPUT --inherit-config /layers
${addLayer}
ENV CHANGED=2 NEW=3
LABEL changed=2
EXPOSE 443
`,
  });
  const { image } = await project.build();
  expect(image.container).toMatchObject({
    Env: expect.arrayContaining(["KEPT=1", "CHANGED=2", "NEW=3"]),
    Labels: { kept: "1", changed: "2" },
    ExposedPorts: { "80/tcp": {}, "443/tcp": {} },
    Volumes: { "/data": {} },
    User: "app",
    WorkingDir: "/work",
    Entrypoint: ["/entry"],
    Cmd: ["argument"],
    OnBuild: ["RUN false"],
  });
  expect(Object.keys(image.container.Labels ?? {}).sort()).toEqual(["changed", "kept"]);
});

test.each([
  [
    "ENTRYPOINT after an inherited CMD of the base",
    "FROM cmd-base",
    'ENTRYPOINT ["/e"]',
    undefined,
  ],
  [
    "ENTRYPOINT after a CMD of its stage",
    `FROM ${baseImage}\nCMD ["c"]`,
    'ENTRYPOINT ["/e"]',
    ["c"],
  ],
  ["ENTRYPOINT before a CMD", `FROM ${baseImage}`, 'ENTRYPOINT ["/e"]\nCMD ["x"]', ["x"]],
  ["CMD before an ENTRYPOINT", `FROM ${baseImage}`, 'CMD ["x"]\nENTRYPOINT ["/e"]', ["x"]],
])("%s", async (_, before, after, command) => {
  const base = await sandbox.project({ Containerfile: `FROM ${baseImage}\nCMD ["base"]\n` });
  await sandbox.exec("buildah", "build", "--quiet", "-t", "localhost/cmd-base", base.context);
  const project = await sandbox.project({
    "Containerfile.x": `${before.replace("cmd-base", "localhost/cmd-base")}\nOUTPUT --inherit-config /layers\n${addLayer}\n${after}\n`,
  });
  const plain = await sandbox.project({
    Containerfile: `${before.replace("cmd-base", "localhost/cmd-base")}\n${after}\n`,
  });
  const { image } = await project.build(["--no-load"]);
  expect(image.container).toMatchObject({ Entrypoint: ["/e"] });
  expect(image.container.Cmd).toEqual(command);
  // What the engine makes of the same instructions in one stage.
  await sandbox.exec("buildah", "build", "--quiet", "-t", "localhost/plain", plain.context);
  const oracle: { OCIv1: { config: { Cmd?: readonly string[] } } } = JSON.parse(
    await sandbox.exec("buildah", "inspect", "--type=image", "localhost/plain"),
  );
  expect(image.container.Cmd ?? []).toEqual(oracle.OCIv1.config.Cmd ?? []);
});

test("output/config.json comes last: it replaces, merges, and null removes", async () => {
  const config = {
    Env: ["MERGED=3", "NEW=4"],
    Labels: { one: null, three: "3" },
    Cmd: null,
    User: "1000",
    ExposedPorts: { "80/tcp": null, "81/tcp": {} },
  };
  const project = await sandbox.project({
    "config.json": JSON.stringify(config),
    "annotations.json": JSON.stringify({ "org.example.build": "b", "org.example.both": "b" }),
    "Containerfile.x": `FROM ${baseImage}
OUTPUT /layers
COPY config.json annotations.json /
${addLayer}
RUN cp /config.json /annotations.json /layers/output/
ENV MERGED=1 KEPT=2
LABEL one=1 two=2
EXPOSE 80
USER app
CMD ["gone"]
`,
  });
  const { image } = await project.build([
    "--annotation",
    "org.example.both=line",
    "--label",
    "three=line",
  ]);
  expect(image.container).toEqual({
    Env: ["MERGED=3", "KEPT=2", "NEW=4"],
    Labels: { two: "2", three: "line" },
    ExposedPorts: { "81/tcp": {} },
    User: "1000",
  });
  expect(image.manifest.annotations).toMatchObject({
    "org.example.build": "b",
    "org.example.both": "line",
  });
});

test("what is lost of the environment is a warning", async () => {
  const project = await sandbox.project({
    "Containerfile.x": `FROM ${baseImage}\nCMD ["lost"]\nOUTPUT /layers\n${addLayer}\n`,
  });
  const built = await project.build(["--no-load"]);
  expect(built.stderr).toMatch(/warning\[[a-z-]+\].*CMD/s);
});

test("--format docker: the engine's storage has the health check, the store stays OCI", async () => {
  const project = await sandbox.project({
    "Containerfile.x": `FROM ${baseImage}\nOUTPUT /layers\n${addLayer}\nHEALTHCHECK CMD ["/bin/true"]\n`,
  });
  const other = "localhost/docker-format:v2";
  const names = ["-t", project.name, "-t", other];
  const built = await project.build(["--format", "docker", ...names]);
  expect(built.image.manifest.mediaType).toBe("application/vnd.oci.image.manifest.v1+json");
  for (const name of [project.name, other]) {
    const inspected = await sandbox.exec("podman", "image", "inspect", name);
    expect(JSON.parse(inspected)).toMatchObject([{ Healthcheck: { Test: ["CMD", "/bin/true"] } }]);
  }
});
