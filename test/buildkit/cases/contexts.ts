import { tell, type Case } from "../case.ts";
import { basePath } from "../world.ts";

// Contexts with a name, platforms, volumes.

const helper = "/layers/bin/layer";

const platform = `linux/${process.arch === "arm64" ? "arm64" : "amd64"}`;
const foreign = platform === "linux/arm64" ? "linux/amd64" : "linux/arm64";

export const contextCases: readonly Case[] = [
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
    container: { Env: [`PATH=${basePath}`], Volumes: { "/data": {} } },
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
