import type { Case } from "../case.ts";
import { basePath } from "../world.ts";

// Metadata instructions before OUTPUT and behind it.

/** The base's own: no engine has added it. */
const path = `PATH=${basePath}`;
const add = "RUN /layers/bin/layer add passwd /etc/passwd";

export const configCases: readonly Case[] = [
  {
    name: "metadata behind OUTPUT",
    few: ["epoch", "registry"],
    files: ({ base }) => `FROM ${base}
ENV BEFORE=outer NUMBER=5
WORKDIR /work
OUTPUT /layers
${add}
ENV AFTER="\${BEFORE}-\${NUMBER:-6}-\${MISSING:-none}" SECOND=$NUMBER
ENV LEGACY form with  spaces
WORKDIR sub
WORKDIR deeper
RUN test "$PWD" = /work/sub/deeper && test "$AFTER" = outer-5-none
EXPOSE 80 443/tcp 53/udp
VOLUME ["/data", "/more data"]
LABEL one=1 "two words"="2 \${BEFORE}"
HEALTHCHECK --interval=5s --timeout=90s --retries=2 CMD ["/bin/true"]
USER app:app
STOPSIGNAL SIGUSR1
ONBUILD RUN echo triggered
MAINTAINER someone <someone@example.org>
ENTRYPOINT ["/bin/echo"]
CMD ["$AFTER", "two words"]
`,
    layers: ["passwd"],
    container: {
      User: "app:app",
      ExposedPorts: { "443/tcp": {}, "53/udp": {}, "80/tcp": {} },
      Env: ["AFTER=outer-5-none", "SECOND=5", "LEGACY=form with  spaces"],
      Entrypoint: ["/bin/echo"],
      Cmd: ["$AFTER", "two words"],
      Volumes: { "/data": {}, "/more data": {} },
      WorkingDir: "/work/sub/deeper",
      Labels: { one: "1", "two words": "2 outer" },
      StopSignal: "SIGUSR1",
      Healthcheck: {
        Test: ["CMD", "/bin/true"],
        Interval: 5_000_000_000,
        Timeout: 90_000_000_000,
        Retries: 2,
      },
      OnBuild: ["RUN echo triggered"],
    },
  },
  {
    name: "nothing but layers: an empty config",
    few: ["epoch"],
    files: ({ base }) =>
      `FROM ${base}\nENV A=b\nUSER root\nWORKDIR /w\nCMD ["c"]\nOUTPUT /layers\n${add}\n`,
    layers: ["passwd"],
    container: {},
  },
  {
    name: "SHELL, and commands in its form",
    files: ({ base }) => `FROM ${base}
OUTPUT /layers
${add}
SHELL ["/bin/sh", "-e", "-c"]
RUN case $- in *e*) ;; *) exit 9 ;; esac
HEALTHCHECK NONE
`,
    layers: ["passwd"],
    container: { Shell: ["/bin/sh", "-e", "-c"], Healthcheck: { Test: ["NONE"] } },
  },
  {
    name: "commands in the shell's form, without SHELL",
    files: ({ base }) =>
      `FROM ${base}\nOUTPUT /layers\n${add}\nENTRYPOINT exec /bin/echo\nCMD echo $A "b  c"\nHEALTHCHECK CMD test -e /x\n`,
    layers: ["passwd"],
    container: {
      Entrypoint: ["/bin/sh", "-c", "exec /bin/echo"],
      Cmd: ["/bin/sh", "-c", 'echo $A "b  c"'],
      Healthcheck: { Test: ["CMD-SHELL", "test -e /x"] },
    },
  },
  {
    name: "commands in the form of a SHELL that was named",
    files: ({ base }) =>
      `FROM ${base}\nOUTPUT /layers\n${add}\nSHELL ["/bin/sh", "-e", "-c"]\nCMD echo $A\n`,
    layers: ["passwd"],
    container: { Shell: ["/bin/sh", "-e", "-c"], Cmd: ["/bin/sh", "-c", "echo $A"] },
    differs: {
      columns: ["buildkit", "buildx"],
      because: "buildah 1.28 and podman 4.3 write /bin/sh -c, whatever SHELL says",
      container: {
        Shell: ["/bin/sh", "-e", "-c"],
        Cmd: ["/bin/sh", "-e", "-c", "echo $A"],
      },
    },
  },
  {
    name: "a range of ports",
    files: ({ base }) => `FROM ${base}\nOUTPUT /layers\n${add}\nEXPOSE 8000-8002/udp\n`,
    layers: ["passwd"],
    container: { ExposedPorts: { "8000-8002/udp": {} } },
    differs: {
      columns: ["buildkit", "buildx"],
      because: "buildah 1.28 and podman 4.3 keep a range of ports as one key",
      container: { ExposedPorts: { "8000/udp": {}, "8001/udp": {}, "8002/udp": {} } },
    },
  },
  {
    name: "--inherit-config, and what changes it",
    few: ["epoch"],
    files: ({ base }) => `FROM ${base}
ENV KEPT=1 CHANGED=1
LABEL kept=1 changed=1
EXPOSE 80
VOLUME /data
USER app
WORKDIR /work
ENTRYPOINT ["/entry"]
CMD ["argument"]
STOPSIGNAL 9
ONBUILD RUN false
OUTPUT --inherit-config /layers
${add}
ENV CHANGED=2 NEW=3
LABEL changed=2
EXPOSE 443
`,
    layers: ["passwd"],
    container: {
      Env: [path, "KEPT=1", "CHANGED=2", "NEW=3"],
      Labels: { kept: "1", changed: "2" },
      ExposedPorts: { "80/tcp": {}, "443/tcp": {} },
      Volumes: { "/data": {} },
      User: "app",
      WorkingDir: "/work",
      Entrypoint: ["/entry"],
      Cmd: ["argument"],
      StopSignal: "9",
      OnBuild: ["RUN false"],
    },
  },
  {
    name: "--inherit-config of an environment that says nothing",
    files: ({ base }) =>
      `FROM ${base}\nOUTPUT --inherit-config /layers\n${add}\nENTRYPOINT ["/e"]\n`,
    layers: ["passwd"],
    container: { Env: [path], Entrypoint: ["/e"] },
  },
  {
    name: "--inherit-config: ENTRYPOINT takes the base's CMD away",
    files: ({ tools }) =>
      `FROM ${tools}\nOUTPUT --inherit-config /layers\n${add}\nENTRYPOINT ["/e"]\n`,
    layers: ["passwd"],
    container: { Env: ["PATH=/usr/local/bin:/bin"], Entrypoint: ["/e"] },
  },
];
