import { join } from "node:path";
import { execa } from "execa";
import { tell, type Case } from "../case.ts";

// What is made of the previous image, and of blobs.

const helper = "/layers/bin/layer";

/** Three layers by the helper: the second has this text. */
function three(base: string, text: string): string {
  return `FROM ${base}
OUTPUT /layers
RUN mkdir /made && for name in one two three; do echo $name > /made/$name; done && echo ${text} > /made/two
RUN ${helper} add one -C /made one && ${helper} add two-${text} -C /made two && ${helper} add "the third" -C /made three
ENV KEPT=1
`;
}

export const previousCases: readonly Case[] = [
  {
    name: "the helper: add of paths and of a stream, each, list, has",
    few: ["epoch"],
    files: ({ base }) => `FROM ${base}
OUTPUT /layers
RUN mkdir -p /made/a/x /made/b && echo a > /made/a/x/a && echo b > /made/b/b && chown 1000:1000 /made/b/b
RUN ${helper} list > /listed && if ${helper} has nothing; then exit 9; fi
RUN ${helper} each --name '{/}' /made/a/. /made/b/. && ${helper} add passwd /etc/passwd && ${helper} add "etc/the group" -C /etc group
RUN tar -cC / bin/busybox | ${helper} add busybox -
`,
    layers: ["a", "b", "passwd", "etc/the group", "busybox"],
    entries: ["-rw-r--r-- 1000/1000 b", "-rw-r--r-- 0/0 etc/passwd"],
  },
  {
    name: "layers kept by name, without their bytes",
    few: ["epoch", "registry"],
    before: ({ base }) => three(base, "old"),
    files: ({ base }) => `FROM ${base}
OUTPUT /layers
RUN ${helper} keep "the third" && ${helper} keep one && mkdir /made && echo new > /made/two && ${helper} add two-new -C /made two
`,
    layers: ["the third", "one", "two-new"],
    entries: ["-rw-r--r-- 0/0 two"],
  },
  {
    name: ".keep, and a loose layer that proves to be the previous one",
    before: ({ base }) => three(base, "old"),
    files: ({ base }) => `FROM ${base}
OUTPUT /layers
RUN cd /layers/output/layers && : > "1-the third.keep" && mkdir 2-renamed && echo one > 2-renamed/one && mkdir 3-x && echo x > 3-x/x
`,
    layers: ["the third", "renamed", "x"],
  },
  {
    name: "history.json, copied: the same image again",
    few: ["epoch"],
    before: ({ base }) => three(base, "old"),
    files: ({ base }) =>
      `FROM ${base}\nOUTPUT /layers\nRUN cp /layers/history.json /layers/output/\nENV KEPT=2\n`,
    layers: ["one", "two-old", "the third"],
    container: { Env: ["KEPT=2"] },
  },
  {
    name: "a history that is written anew, the other way round",
    // Each build is another image than the one before.
    grounds: ["epoch"],
    before: ({ base }) => three(base, "old"),
    files: ({ base }) => `FROM ${base}
OUTPUT /layers
RUN tac /layers/names | while IFS="$(printf '\\t')" read -r digest diff blob name; do printf '{"created_by":"again %s","digest":"%s","diff_id":"%s"}\\n' "$name" "$digest" "$diff"; done > /layers/output/history.jsonl
`,
    layers: ["again the third", "again two-old", "again one"],
  },
  {
    name: "what the steps see of the history",
    // Each build is another image than the one before.
    grounds: ["epoch"],
    before: ({ base }) => three(base, "old"),
    args: () => ["--input=none"],
    files: ({ base }) => `FROM ${base}
OUTPUT /layers
RUN mkdir /seen && cp /layers/history.json /layers/names /seen && ls -R /layers/input > /seen/input && ${helper} list > /seen/list && ${helper} add seen -C /seen names input list
`,
    layers: ["seen"],
    entries: ["-rw-r--r-- 0/0 names", "-rw-r--r-- 0/0 input"],
  },
  {
    name: "blobs bit for bit: plain, gzip, zstd",
    few: ["epoch"],
    files: ({ tools }) => blobs(tools),
    prepare: async (context) => {
      const tar = ["--format=gnu", "--mtime=@1", "--owner=5", "--group=5", "-C/etc", "-cf-"];
      const { stdout } = await execa("tar", [...tar, "hostname"], { encoding: "buffer" });
      await execa("zstd", ["-q", "-o", join(context, "blob.zst")], { input: stdout });
    },
    layers: ["plain", "gzip", "two members", "zstd", "a loose one"],
    entries: ["-rw-r--r-- 7/7 etc/passwd"],
  },
  {
    name: "config.json and annotations.json",
    few: ["epoch"],
    files: ({ base }) => ({
      "Containerfile.x": `FROM ${base}
OUTPUT /layers
COPY config.json annotations.json /
RUN ${helper} add passwd /etc/passwd && cp /config.json /annotations.json /layers/output/
ENV MERGED=1 KEPT=2
LABEL one=1 two=2
EXPOSE 80
USER app
CMD ["gone"]
`,
      "config.json": JSON.stringify({
        Env: ["MERGED=3", "NEW=4"],
        Labels: { one: null, three: "3" },
        Cmd: null,
        User: "1000",
        ExposedPorts: { "80/tcp": null, "81/tcp": {} },
        Healthcheck: { Test: ["CMD", "/bin/true"] },
      }),
      "annotations.json": JSON.stringify({ "org.example.build": "b", "org.example.both": "b" }),
    }),
    args: () => ["--annotation=org.example.both=line", "--label=four=4"],
    layers: ["passwd"],
    container: {
      Env: ["MERGED=3", "KEPT=2", "NEW=4"],
      Labels: { two: "2", three: "3", four: "4" },
      User: "1000",
      ExposedPorts: { "81/tcp": {} },
      Healthcheck: { Test: ["CMD", "/bin/true"] },
    },
  },
  {
    name: "a user of the container writes the output",
    few: ["epoch"],
    files: ({ base }) => `FROM ${base}
RUN mkdir /home/app 2>/dev/null || mkdir -p /home/app; chown app:app /home/app
USER app
WORKDIR /home/app
OUTPUT /layers
RUN umask 077 && mkdir /layers/output/layers/mine && echo x > /layers/output/layers/mine/x && mkdir -p /layers/output/state && echo s > /layers/output/state/s
${tell("$(id -u):$(id -g)", "$PWD", "$HOME")}`,
    layers: ["mine", "told"],
    entries: ["-rw------- 1000/1000 x", "-rw-r--r-- 1000/1000 told"],
  },
];

/** GNU's tar makes the same archive of the same files each time, and gzip with -n the same bytes. */
function blobs(base: string): string {
  const tar =
    "/usr/local/bin/tar --sort=name --format=gnu --mtime=@1000000000 --owner=7 --group=7 --numeric-owner -C /";
  return `FROM ${base}
OUTPUT /layers
RUN mkdir /b && ${tar} -cf /b/plain etc/passwd && ${tar} -cf - etc/group | gzip -n > /b/gzip && { ${tar} -cf - etc/passwd | head -c 1000 | gzip -n; ${tar} -cf - etc/passwd | tail -c +1001 | gzip -n; } > "/b/two members"
COPY blob.zst /b/zstd
RUN cd /layers/output && for name in plain gzip "two members" zstd; do hex=$(sha256sum "/b/$name" | cut -d' ' -f1); cp "/b/$name" blobs/sha256/$hex; echo "{\\"created_by\\":\\"$name\\",\\"digest\\":\\"sha256:$hex\\",\\"comment\\":\\"taken\\"}" >> history.jsonl; done
RUN cd /layers/output && mkdir layers/1 && echo loose > layers/1/loose && echo '{"created_by":"a loose one","path":"layers/1"}' >> history.jsonl
`;
}
