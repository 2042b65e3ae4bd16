import { anyLayers, type Case } from "../case.ts";

// Roots of packages, split: databases as small as can be, and those of a real Debian.

const helper = "/layers/bin/layer";

/** A root with a dpkg database of two packages, their files, and files that nobody owns. */
const dpkg = `RUN mkdir -p /r/var/lib/dpkg/info /r/usr/bin /r/usr/share/doc/one /r/etc /r/var/log && cd /r && ln -s usr/bin bin
RUN cd /r && echo one > usr/bin/one && chmod 4755 usr/bin/one && ln usr/bin/one usr/bin/uno && echo two > usr/bin/two && echo doc > usr/share/doc/one/doc && echo conf > etc/two.conf && echo log > var/log/log && chown 7:8 var/log/log
RUN cd /r/var/lib/dpkg && echo 1 > info/format && printf '/.\\n/usr\\n/usr/bin\\n/bin/one\\n/usr/bin/uno\\n/usr/share\\n/usr/share/doc\\n/usr/share/doc/one\\n/usr/share/doc/one/doc\\n' > info/one.list && printf '/.\\n/usr\\n/usr/bin\\n/usr/bin/two\\n/etc\\n/etc/two.conf\\n' > info/two.list && touch info/one.md5sums info/two.md5sums
RUN for name in one two; do printf 'Package: %s\\nStatus: install ok installed\\nPriority: optional\\nArchitecture: amd64\\nVersion: 1.%s-1\\nDescription: d\\n\\n' $name $name; done > /r/var/lib/dpkg/status
`;

const apk = `RUN mkdir -p /r/lib/apk/db /r/usr/bin /r/etc && cd /r && echo one > usr/bin/one && echo two > etc/two && echo other > etc/other && chown 1000 etc/two
RUN printf 'P:one\\nV:1.0-r0\\nA:x86_64\\nF:usr\\nF:usr/bin\\nR:one\\na:0:0:755\\n\\nP:two\\nV:2.0-r1\\nA:x86_64\\nF:etc\\nR:two\\n\\n' > /r/lib/apk/db/installed
`;

const pip = `RUN mkdir -p /r/usr/lib/python3/dist-packages/one /r/usr/lib/python3/dist-packages/one-1.0.dist-info && cd /r/usr/lib/python3/dist-packages && echo 1 > one/__init__.py && printf 'Name: one\\nVersion: 1.0\\n' > one-1.0.dist-info/METADATA && printf 'one/__init__.py,,\\none-1.0.dist-info/METADATA,,\\none-1.0.dist-info/RECORD,,\\n' > one-1.0.dist-info/RECORD
`;

export const packageCases: readonly Case[] = [
  {
    name: "layer split dpkg",
    few: ["epoch", "registry"],
    files: ({ base }) => `FROM ${base}\n${dpkg}OUTPUT /layers\nRUN ${helper} split dpkg /r\n`,
    layers: ["one-1.one-1", "two-1.two-1", "dpkg-database", "other"],
    entries: ["-rwsr-xr-x 0/0 usr/bin/one", "-rw-r--r-- 7/8 var/log/log"],
  },
  {
    name: "layer split apk",
    few: ["epoch"],
    files: ({ base }) => `FROM ${base}\n${apk}OUTPUT /layers\nRUN ${helper} split apk /r\n`,
    layers: ["one-1.0-r0", "two-2.0-r1", "apk-database", "other"],
    entries: ["-rw-r--r-- 1000/0 etc/two"],
  },
  {
    name: "layer split dpkg,pip into few layers",
    files: ({ base }) =>
      `FROM ${base}\n${dpkg}${pip}OUTPUT /layers\nRUN ${helper} split --max 3 dpkg,pip /r\n`,
    layers: ["one-1.one-1 two-1.two-1 one-1.0", "dpkg-database", "other"],
  },
  {
    name: "layer split of the root that steps run in",
    few: ["epoch"],
    files: ({ base }) =>
      `FROM ${base}\n${dpkg}RUN rm /r/bin && cp -a /r/. / && rm -r /r && ln /usr/bin/one /bin/one && mkdir -p /var/cache/x /mnt/empty /run\nOUTPUT --inherit-config /layers\nRUN ${helper} split dpkg /\n`,
    layers: ["/bin/busybox", "one-1.one-1", "two-1.two-1", "dpkg-database", "other"],
    entries: ["-rwxr-xr-x 0/0 bin/busybox", "drwxr-xr-x 0/0 mnt/empty/"],
  },
  {
    name: "layer split of a Debian",
    files: ({ debian }) =>
      `FROM ${debian}\nOUTPUT --inherit-config /layers\nRUN ${helper} split auto /\n`,
    layers: anyLayers,
    entries: ["-rwxr-xr-x 0/0 usr/bin/bash", "-rw-r--r-- 0/0 etc/passwd"],
    container: {
      Cmd: ["/bin/bash"],
      Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    },
  },
  {
    name: "layer split --above a base",
    few: ["epoch", "registry"],
    files: ({ lower }) => `FROM ${lower}
RUN rm /lower-one && mkdir -p /run && echo edited > /lower-two && mkdir -m 700 /new && echo new > /new/file
OUTPUT --from=${lower} --inherit-config /layers
RUN --mount=type=bind,from=${lower},target=/below ${helper} split --above /below auto /
`,
    layers: ["lower-one", "lower-two", "lower-busybox", "removed", "other"],
    entries: [
      "-rw-r--r-- 0/0 .wh.lower-one",
      "-rw-r--r-- 0/0 lower-two",
      "drwx------ 0/0 new/",
      "-rw-r--r-- 0/0 new/file",
    ],
  },
  {
    name: "layer split --above of what the base is",
    files: ({ base, lower }) => `FROM ${base}
RUN --mount=type=bind,from=${lower},target=/below cp -a /below /r
OUTPUT --from=${lower} /layers
RUN --mount=type=bind,from=${lower},target=/below ${helper} split --above /below auto /r
`,
    layers: ["lower-one", "lower-two", "lower-busybox"],
  },
];
