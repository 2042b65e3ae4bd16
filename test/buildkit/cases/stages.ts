import { anyLayers, tell, type Case } from "../case.ts";
import { basePath } from "../world.ts";

// Several stages, images below, contexts with a name, platforms.

const path = `PATH=${basePath}`;
const helper = "/layers/bin/layer";

/** A stage of one layer with one file, both called like it. */
function stage(name: string, base: string, flags = ""): string {
  return `FROM ${base} AS ${name}
OUTPUT ${flags} /layers
RUN mkdir /o && echo ${name} > /o/${name} && ${helper} add ${name} -C /o ${name}
ENV OF_${name.toUpperCase()}=1
`;
}

const platform = `linux/${process.arch === "arm64" ? "arm64" : "amd64"}`;
const foreign = platform === "linux/arm64" ? "linux/amd64" : "linux/arm64";

export const stageCases: readonly Case[] = [
  {
    name: "several stages with OUTPUT, put together by --from",
    few: ["epoch", "registry"],
    files: ({ base }) => `${stage("node", base)}${stage("python", base)}FROM ${base}
OUTPUT --from=node --from=python /layers
RUN mkdir /o && echo own > /o/own && ${helper} add own -C /o own
LABEL of=own
`,
    layers: ["node", "python", "own"],
    container: { Labels: { of: "own" }, Env: ["OF_NODE=1"] },
  },
  {
    name: "--from alone, without a step",
    files: ({ base }) =>
      `${stage("node", base)}${stage("python", base)}FROM ${base}\nOUTPUT --from=python --from=node --inherit-config /layers\n`,
    layers: ["python", "node"],
  },
  {
    name: "a stage on another one that has OUTPUT",
    few: ["epoch"],
    files: ({ base }) => `FROM ${base} AS whole
OUTPUT --inherit-config /layers
RUN ${helper} add whole /bin /etc/passwd /etc/group /tmp
ENV WHOLE=1
FROM whole AS above
RUN echo "$WHOLE" > /above
OUTPUT --from=whole /layers
RUN ${helper} add above /above
`,
    layers: ["whole", "above"],
    entries: ["-rw-r--r-- 0/0 above"],
    container: { Env: [path, "WHOLE=1"] },
  },
  {
    name: "COPY and mounts of stages that have OUTPUT",
    files: ({ base }) => `${stage("node", base)}${stage("python", base)}FROM ${base}
COPY --from=node /node /t/before
OUTPUT /layers
COPY --from=python /python /t/after
RUN --mount=type=bind,from=node,target=/m cp /m/node /t/mounted
RUN ${helper} add t /t
`,
    layers: ["t"],
    entries: ["-rw-r--r-- 0/0 t/before", "-rw-r--r-- 0/0 t/mounted"],
  },
  {
    name: "a target without OUTPUT on a stage that has one",
    few: ["epoch"],
    files: ({ base }) => ({
      "Containerfile.x": `FROM ${base} AS below
OUTPUT --inherit-config /layers
RUN ${helper} add below /bin /etc/passwd /etc/group /tmp
ENV BELOW=1
FROM below
ENV TOP=2
LABEL of=top
RUN echo "$BELOW" > /made && chown 1000 /made
COPY file /file
WORKDIR /w
EXPOSE 80
ENTRYPOINT ["/bin/sh"]
CMD ["-c", "true"]
`,
      file: "file\n",
    }),
    layers: anyLayers,
    entries: ["-rw-r--r-- 1000/0 made", "-rw-r--r-- 0/0 file"],
    differs: {
      columns: ["buildkit", "buildx"],
      because:
        "the layers of a stage without OUTPUT are the engine's: BuildKit makes one of WORKDIR, buildah leaves the places of its mounts in those of RUN; and its history is in its own words",
      entries: ["-rw-r--r-- 1000/0 made", "-rw-r--r-- 0/0 file", "drwxr-xr-x 0/0 w/"],
    },
  },
  {
    name: "--target, and stages that nobody uses",
    files: ({ base }) =>
      `${stage("node", base)}${stage("python", base)}FROM ${base} AS broken\nRUN false\n`,
    args: () => ["--target=python"],
    layers: ["python"],
  },
  {
    name: "layers of an image in a registry, and its config",
    few: ["epoch"],
    files: ({ base, lower }) => `FROM ${base}
OUTPUT --from=${lower} /layers
RUN ${helper} add passwd /etc/passwd
ENV OWN=1
`,
    layers: ["lower-one", "lower-two", "lower-busybox", "passwd"],
    container: { Env: ["LOWER=1", "OWN=1"], Cmd: ["lower"] },
  },
  {
    name: "layers of the image that is the base, too",
    files: ({ lower }) => `FROM ${lower}
RUN echo changed > /lower-one && rm /lower-two && mkdir /new && echo x > /new/x
OUTPUT --from=${lower} --inherit-config /layers
RUN ${helper} add own /new /lower-one
`,
    layers: ["lower-one", "lower-two", "lower-busybox", "own"],
  },
  {
    name: "contexts with a name: a directory and an image",
    few: ["epoch"],
    files: ({ base }) => `FROM ${base}
COPY --from=named a /t/before
OUTPUT /layers
COPY --from=named . /t/named/
COPY --from=image /lower-one /t/image
RUN --mount=type=bind,from=named,target=/m cp /m/sub/b /t/b
RUN ${helper} add t /t
`,
    args: ({ other, lower }) => [
      `--build-context=named=${other}/named`,
      `--build-context=image=docker-image://${lower}`,
    ],
    layers: ["t"],
    entries: ["-rw-r--r-- 0/0 t/before", "-rw-r----- 0/0 t/named/sub/b"],
  },
  {
    name: "a context with a name in the place of the base",
    files: () => `FROM base
OUTPUT --from=base /layers
RUN ${helper} add t /etc/passwd
`,
    args: ({ lower }) => [`--build-context=base=docker-image://${lower}`],
    layers: ["lower-one", "lower-two", "lower-busybox", "t"],
  },
  {
    name: "this machine's platform, given",
    few: ["epoch"],
    files: ({ base }) =>
      `FROM ${base}\nARG TARGETPLATFORM TARGETOS TARGETARCH TARGETVARIANT\nOUTPUT /layers\n${tell("$TARGETPLATFORM $TARGETOS $TARGETARCH [$TARGETVARIANT]")}`,
    args: () => [`--platform=${platform}`],
    layers: ["told"],
  },
  {
    name: "another platform, by steps of this one",
    files: ({ base }) =>
      `FROM --platform=$BUILDPLATFORM ${base}\nARG TARGETPLATFORM BUILDPLATFORM\nOUTPUT /layers\n${tell("$TARGETPLATFORM on $BUILDPLATFORM")}ENTRYPOINT ["/told"]\n`,
    args: () => [`--platform=${foreign}`],
    layers: ["told"],
    container: { Entrypoint: ["/told"] },
  },
  {
    name: "a volume before OUTPUT whose files no step changes",
    files: ({ base }) => `FROM ${base}
RUN mkdir /data && echo first > /data/first && chown 1000 /data/first
VOLUME /data
OUTPUT --inherit-config /layers
RUN ${helper} add data /data
`,
    layers: ["data"],
    entries: ["-rw-r--r-- 1000/0 data/first"],
    container: { Env: [path], Volumes: { "/data": {} } },
  },
  {
    name: "what steps write into a volume",
    files: ({ base }) => `FROM ${base}
VOLUME /data
RUN mkdir -p /data && echo written > /data/written
OUTPUT /layers
${tell("$(ls -A /data)")}`,
    layers: ["told"],
    differs: {
      columns: ["buildkit", "buildx"],
      because:
        "what a RUN writes below a VOLUME that was declared before it vanishes with buildah and podman, and stays with BuildKit",
    },
  },
];
