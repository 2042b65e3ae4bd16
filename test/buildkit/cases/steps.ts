import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { tell, type Case } from "../case.ts";

// What steps do, before OUTPUT and behind it.

const emit = "RUN /layers/bin/layer add t /t\n";

/** Every form of heredoc, each of which writes a file into /t. */
const heredocs = String.raw`RUN <<EOF
# no comment of the Containerfile's
mkdir -p /t
echo "one \\ \$HOME a\": b" * > /t/script
  echo 'two "quoted"	tab' >> /t/script \
    && echo end >>/t/script
EOF
RUN <<-"EOF"
	printf '%s\n' "$A" > /t/tabs
		echo $A >> /t/tabs
	EOF
RUN cat - /dev/fd/3 <<A 3<<'B' > /t/several
first $A
A
second $A
B
RUN <<EOF cat > /t/stdin
$A
EOF
RUN <<EOF
#!/bin/awk -f
BEGIN { print "awk", ENVIRON["A"] > "/t/program" }
EOF
COPY <<plain <<-'quoted' /t/
$A \$A "$A" '$UNSET' a\b
plain
	$A
	quoted
COPY --chmod=750 --chown=1000 <<EOF /t/owned
EOF
USER app
RUN <<EOF
id -u > /tmp/id
EOF
USER root
RUN mv /tmp/id /t/id
`;

/** Files as copies bring them: owners, modes, links, directories. */
const copies = `COPY a /t/a
COPY --chown=1000:8 a /t/owned/
COPY --chown=app:app d /t/d
COPY --chmod=0601 a /t/moded
COPY --chown=7 --chmod=755 a d/in /t/both/
COPY link /t/link
COPY d /t/merged/
COPY d/in /t/merged/more/
COPY executable *.txt /t/
ADD archive.tar.gz /t/unpacked/
COPY --from=tools /tool /t/tool
COPY --from=tools --chown=1000 /tools/ /t/tools/
COPY --from=0 /tool /t/by-number
`;

export const stepCases: readonly Case[] = [
  ...(["before", "behind"] as const).map((where): Case => ({
    name: `heredocs ${where} OUTPUT`,
    few: where === "behind" ? ["epoch"] : [],
    files: ({ base }) =>
      `FROM ${base}\nARG A=arg\n${where === "before" ? heredocs : ""}OUTPUT /layers\n${where === "before" ? "" : heredocs}${emit}`,
    layers: ["t"],
    entries: [
      "-rwxr-x--- 1000/1000 t/owned",
      "-rw-r--r-- 0/0 t/plain",
      "-rw-r--r-- 1000/1000 t/id",
    ],
  })),
  ...(["before", "behind"] as const).map((where): Case => ({
    name: `COPY and ADD ${where} OUTPUT`,
    few: where === "behind" ? ["epoch"] : [],
    files: ({ base, lower }) => ({
      "Containerfile.x": `FROM ${base} AS tools
RUN mkdir /tools && echo tool > /tool && cp /tool /tools/one && ln /tools/one /tools/two && chown 1000 /tool
FROM ${base}
${where === "before" ? copies : ""}OUTPUT /layers
${where === "before" ? "" : copies}COPY --from=${lower} /lower-one /t/of-an-image
${emit}`,
      a: "a\n",
      "d/in": { text: "in\n", mode: 0o640 },
      "d/deep/in": "deep\n",
      "d/link": { link: "in" },
      link: { link: "d/in" },
      executable: { text: "#!/bin/sh\n", mode: 0o755 },
      "x.txt": "x\n",
      "y.txt": "y\n",
    }),
    prepare: makeArchives,
    layers: ["t"],
    entries: [
      "-rw-r--r-- 1000/8 t/owned/a",
      "-rw-r----- 1000/1000 t/d/in",
      "-rw------x 0/0 t/moded",
      "-rwxr-xr-x 7/7 t/both/in",
      "-rw-r----- 12/34 t/unpacked/inside",
    ],
  })),
  {
    name: "ADD --chown of an archive",
    files: ({ base }) => `FROM ${base}\nOUTPUT /layers\nADD --chown=app plain.tar /t/\n${emit}`,
    prepare: makeArchives,
    layers: ["t"],
    entries: ["-rw-r----- 12/34 t/inside"],
    differs: {
      columns: ["buildkit", "buildx"],
      because: "buildah and podman leave files of an archive their owners, whatever --chown says",
      entries: ["-rw-r----- 1000/1000 t/inside"],
    },
  },
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
        "buildah and podman mount over /etc/hostname, which nobody sees then, and make /run; BuildKit does neither",
      entries: ["-rw-r--r-- 0/0 etc/hostname"],
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
    name: "the context after its ignore file",
    files: ({ base }) => ({
      "Containerfile.x": `FROM ${base}\nOUTPUT /layers\nCOPY . /t/\nRUN rm /t/Containerfile.x\n${emit}`,
      ".dockerignore": "ignored\n**/*.o\n!keep/it.o\n",
      ignored: "",
      "sub/a.o": "",
      "sub/a.c": { text: "", mode: 0o600 },
      "keep/it.o": "",
    }),
    prepare: async (context) => {
      await mkdir(join(context, "empty"));
      await mkdir(join(context, "closed"));
      await chmod(join(context, "closed"), 0o750);
      await symlink("/nowhere", join(context, "broken"));
      const odd = Buffer.from("latin\xe9\nline", "latin1");
      await writeFile(Buffer.concat([Buffer.from(`${context}/`), odd]), "odd");
    },
    layers: ["t"],
    entries: [
      "-rw------- 0/0 t/sub/a.c",
      "lrwxrwxrwx 0/0 t/broken -> /nowhere",
      String.raw`-rw-r--r-- 0/0 t/latin\351\nline`,
      "drwxr-x--- 0/0 t/closed/",
    ],
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
  {
    name: "FROM scratch, with a tar for all that runs",
    few: ["epoch"],
    files: () =>
      `FROM scratch\nADD root.tar.gz /\nRUN ["/bin/busybox", "--install", "-s", "/bin"]\nOUTPUT /layers\nRUN /layers/bin/layer add t -C /bin busybox\nCMD ["/busybox"]\n`,
    prepare: async (context) => {
      const bin = join(context, "root", "bin");
      await mkdir(bin, { recursive: true });
      await execa("cp", ["/bin/busybox", bin]);
      await execa("tar", [
        "-C",
        join(context, "root"),
        "-czf",
        join(context, "root.tar.gz"),
        "bin",
      ]);
    },
    layers: ["t"],
    entries: ["-rwxr-xr-x 0/0 busybox"],
    container: { Cmd: ["/busybox"] },
  },
];

/** Owners and modes in them that no file here may have. */
async function makeArchives(context: string): Promise<void> {
  const directory = join(context, "..", "archived");
  await mkdir(join(directory, "sub"), { recursive: true });
  await writeFile(join(directory, "inside"), "inside\n", { mode: 0o640 });
  await chmod(join(directory, "inside"), 0o640);
  await writeFile(join(directory, "sub", "deep"), "deep\n");
  const words = ["-C", directory, "--owner=12", "--group=34", "--mtime=@1000000000"];
  for (const name of ["archive.tar.gz", "plain.tar"]) {
    const path = join(context, name);
    await execa("tar", [...words, name.endsWith("gz") ? "-czf" : "-cf", path, "inside", "sub"]);
  }
}
