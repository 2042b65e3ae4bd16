import { loose, type Case } from "../case.ts";

// What is written as trees and tars.

export const treeCases: readonly Case[] = [
  {
    name: "trees in the order of their numbers",
    few: ["epoch", "registry", "store"],
    files: ({ base }) =>
      loose(
        base,
        "mkdir b 10-a 9-z B && for name in b 10-a 9-z B; do echo $name > $name/$name; done",
        "mkdir -p 9-z/dir/empty && ln 9-z/9-z 9-z/again && ln -s dir/first 9-z/link && ln -s /nowhere 9-z/broken",
      ),
    layers: ["z", "a", "B", "b"],
    entries: ["drwxr-xr-x 0/0 dir/empty/", "hrw-r--r-- 0/0 again link to 9-z"],
  },
  {
    name: "tars, plain and compressed",
    files: ({ base }) =>
      loose(base, "tar -C / -cf c.tar etc/passwd", "tar -C / -czf d.tar.gz etc/group tmp"),
    layers: ["c", "d"],
    entries: ["-rw-r--r-- 0/0 etc/passwd", "drwxrwxrwt 0/0 tmp/"],
  },
  {
    name: "names of any bytes",
    few: ["epoch"],
    files: ({ base }) =>
      loose(
        base,
        String.raw`mkdir t && cd t && printf x > "$(printf 'latin\351')" && printf x > "$(printf 'a\nb')" && printf x > 'q"u'"'"'o\te'`,
        String.raw`cd t && printf x > -dash && printf x > ' both ' && printf x > '*?[x]' && printf x > 包é && mkdir "$(printf '\377\376')" && ln -s "$(printf '\200')" "$(printf '\377\376/to')"`,
        "cd t && long=$(printf '%0120d' 7) && mkdir -p $long/$long && echo > $long/$long/$long && ln -s $long/$long/$long far && ln $long/$long/$long name",
      ),
    layers: ["t"],
    entries: [
      String.raw`-rw-r--r-- 0/0 latin\351`,
      String.raw`-rw-r--r-- 0/0 a\nb`,
      String.raw`lrwxrwxrwx 0/0 \377\376/to -> \200`,
    ],
  },
  {
    name: "names of layers that no file can have",
    files: ({ base }) => ({
      "Containerfile.x": `FROM ${base}
OUTPUT /layers
COPY list /
RUN cd /layers/output && mkdir layers/1 layers/2 && echo 1 > layers/1/one && echo 2 > layers/2/two && cp /list history.jsonl
`,
      list: [
        { created_by: "any name / at all\t包", path: "layers/2", comment: "a comment" },
        { created_by: "nothing", empty_layer: true },
        { created_by: "one", path: "layers/1", author: "me", annotations: { "org.example": "a" } },
      ]
        .map((line) => `${JSON.stringify(line)}\n`)
        .join(""),
    }),
    layers: ["any name / at all\t包", "one"],
  },
  {
    name: "some thousand files, and some megabytes",
    files: ({ base }) =>
      loose(
        base,
        "mkdir t && i=0; while [ $i -lt 40 ]; do mkdir t/$i; (cd t/$i && seq 1 50 | xargs touch); i=$((i + 1)); done; seq 1 1500000 > t/large",
      ),
    layers: ["t"],
    entries: ["-rw-r--r-- 0/0 39/50", "-rw-r--r-- 0/0 large"],
  },
  {
    name: "zstd",
    few: ["epoch"],
    files: ({ base }) =>
      loose(base, "mkdir t u && cp /bin/busybox t && echo u > u/u").replace(
        "OUTPUT",
        "OUTPUT --compression=zstd",
      ),
    layers: ["t", "u"],
    entries: ["-rwxr-xr-x 0/0 busybox"],
  },
  {
    name: "no compression",
    files: ({ base }) =>
      loose(base, "mkdir t && cp /etc/passwd t").replace("OUTPUT", "OUTPUT --compression=none"),
    layers: ["t"],
    entries: ["-rw-r--r-- 0/0 passwd"],
  },
];
