import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import type { Case } from "../case.ts";
import { heredocs } from "./heredocs.ts";

// What COPY and ADD bring, before OUTPUT and behind it.

const emit = "RUN /layers/bin/layer add t /t\n";

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

export const copyCases: readonly Case[] = [
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
