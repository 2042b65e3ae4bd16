import { tell, type Case } from "../case.ts";

// What steps do and see.

const emit = "RUN /layers/bin/layer add t /t\n";

export const stepCases: readonly Case[] = [
  {
    name: "files that engines mount over, and directories that they make",
    files: ({ base }) => ({
      "Containerfile.x": `FROM ${base}\nCOPY hostname /etc/\nOUTPUT /layers\nRUN /layers/bin/layer add t -C / .\n`,
      hostname: "from the image\n",
    }),
    layers: ["t"],
    entries: ["drwxr-xr-x 0/0 run/"],
    differs: {
      columns: ["buildkit", "buildx"],
      because:
        "buildah and podman make /run, and BuildKit does not; /etc/hostname, which the one mount over, is nobody's",
      entries: ["drwxr-xr-x 0/0 bin/"],
    },
  },
  {
    name: "a file of two names, one of which a later step writes to",
    files: ({ base }) =>
      `FROM ${base}\nOUTPUT /layers\nRUN mkdir /t && echo one > /t/a && ln /t/a /t/b\nRUN echo two >> /t/a\n${emit}`,
    layers: ["t"],
    entries: ["-rw-r--r-- 0/0 t/a", "hrw-r--r-- 0/0 t/b link to t/a"],
    differs: {
      columns: ["buildkit", "buildx"],
      because:
        "BuildKit takes a snapshot behind each step, and in an overlay the names of a file part where one is written to",
      entries: ["-rw-r--r-- 0/0 t/a", "-rw-r--r-- 0/0 t/b"],
    },
  },
  {
    name: "mounts of RUN: bind, cache, tmpfs, secret",
    few: ["epoch"],
    files: ({ base }) => ({
      "Containerfile.x": `FROM ${base} AS other
RUN mkdir /made && echo made > /made/file
FROM ${base}
RUN --mount=type=cache,id=xbuild-table,target=/cache echo kept > /cache/file && mkdir /t && cp /cache/file /t/cache-before
OUTPUT /layers
RUN --mount=type=bind,from=other,source=/made,target=/m --mount=type=bind,source=file,target=/context-file cp /m/file /t/bind && cp /context-file /t/context
RUN --mount=type=bind,target=/whole ls /whole > /t/whole
RUN --mount=type=cache,id=xbuild-table-behind,target=/cache echo cached > /cache/file && cp /cache/file /t/cache
RUN --mount=type=tmpfs,target=/tmpfs touch /tmpfs/x && ls /tmpfs > /t/tmpfs
RUN --mount=type=secret,id=key cat /run/secrets/key > /t/secret
RUN --mount=type=secret,id=key,target=/elsewhere,mode=0444,uid=1000 stat -c '%a %u' /elsewhere > /t/secret-stat
RUN ls -d /m /context-file /tmpfs /elsewhere /whole > /t/left 2>/dev/null; rmdir /m /tmpfs /whole /cache; rm -f /context-file /elsewhere; true
RUN rm /t/left
${emit}`,
      file: "context\n",
    }),
    args: ({ other }) => [`--secret=id=key,src=${other}/secret`],
    layers: ["t"],
    entries: ["-rw-r--r-- 0/0 t/cache", "-rw-r--r-- 0/0 t/secret"],
  },
  {
    name: "USER, WORKDIR, SHELL and ENV hold across OUTPUT",
    few: ["epoch"],
    files: ({ base }) => `FROM ${base}
RUN mkdir /work && chown app /work && echo file > /work/file
SHELL ["/bin/sh", "-e", "-c"]
ENV A="b c"
WORKDIR /work
USER app
OUTPUT /layers
WORKDIR made/anew
${tell("$(id -un)", "$PWD", "$A", "$(cat ../../file)", "$HOME", "$(umask)", "$(stat -c '%a %u' .)")}`,
    layers: ["told"],
    container: { WorkingDir: "/work/made/anew" },
  },
  {
    name: "layering steps share one working container",
    files: ({ base }) => ({
      "Containerfile.x": `FROM ${base}
RUN echo before > /before && mkdir /gone && touch /gone/x /t-before
OUTPUT /layers
RUN echo one > /one && rm -r /gone && rm /before
ENV TWO=two
WORKDIR /three
COPY file .
ADD file /four/
${tell("$(cat /one)", "$TWO", "$PWD", "$(cat file)", "$(cat /four/file)", "$(ls -d /gone /before 2>&1 | wc -l)")}`,
      file: "copied",
    }),
    layers: ["told"],
  },
  {
    name: "what steps see of the machine is the same",
    files: ({ base }) =>
      `FROM ${base}\nOUTPUT /layers\n${tell("$(id)", "$(umask)", "$(cut -d' ' -f1 /proc/self/comm)", "$PATH", "$HOME", "$PWD", "$(tty)", "$(cat)", "$(ls /proc/self/ns)")}`,
    layers: ["told"],
  },
];
