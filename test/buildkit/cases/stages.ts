import { anyLayers, type Case } from "../case.ts";
import { basePath } from "../world.ts";

// Several stages, and images below.

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
];
