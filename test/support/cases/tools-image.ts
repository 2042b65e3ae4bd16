import { cp, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { baseImage, type Sandbox } from "../sandbox.ts";

/** Writes what is at a path, with all that is below it, as text. */
const tell = `#!/bin/sh
find "$1" | sort | while IFS= read -r path; do
  if [ -L "$path" ]; then echo "$path -> $(readlink "$path")"
  elif [ -f "$path" ]; then echo "$path $(stat -c %a "$path")" && cat "$path"
  else echo "$path $(stat -c '%a %F' "$path")"
  fi
done >"$2"
`;

/** Copies a directory with everything that a file can have. */
const take = `#!/bin/sh
mkdir -p "$2"
tar -C "$1" --xattrs --xattrs-include='*' -cf - . | tar -C "$2" --xattrs --xattrs-include='*' -xpf -
`;

const shell = (name: string): string => `#!/bin/sh\nexport SHELL_NAME=${name}\nexec /bin/sh "$@"\n`;

/** For what busybox leaves out: GNU tar keeps attributes, and a shell with no tar of its own finds it. */
const programs = { "/bin/tar": "tar", "/bin/dash": "sh" };

/** The image that the bases of all cases stand on: busybox, GNU tar, and programs that tell what they see. */
export async function createToolsImage(sandbox: Sandbox): Promise<void> {
  const context = join(sandbox.directory, "tools");
  const scripts = { tell, take, "shell-one": shell("one"), "shell-two": shell("two") };
  await mkdir(join(context, "bin"), { recursive: true });
  for (const [name, text] of Object.entries(scripts)) {
    await writeFile(join(context, "bin", name), text, { mode: 0o755 });
  }
  await mkdir(join(context, "programs"));
  for (const [program, name] of Object.entries(programs)) {
    await cp(program, join(context, "programs", name));
    await copyLibraries(program, context);
  }
  const text = `FROM ${baseImage}
COPY . /
RUN mv /programs/* /bin/ && rmdir /programs && mkdir -m 1777 /told
`;
  const file = join(sandbox.directory, "tools.Containerfile");
  await writeFile(file, text);
  const words = ["--quiet", "--layers=false", "-f", file, "-t", "localhost/cases"];
  await sandbox.exec("buildah", "build", ...words, context);
}

async function copyLibraries(program: string, context: string): Promise<void> {
  const { stdout } = await execa("ldd", [program]);
  for (const path of stdout.match(/\/\S+/g) ?? []) {
    await mkdir(dirname(join(context, path)), { recursive: true });
    await cp(path, join(context, path), { dereference: true });
  }
}

/** Takes the images of past cases out of the storage: the engine looks through all of them for its cache. */
export async function forgetCases({ exec }: Sandbox): Promise<void> {
  const listed = await exec("buildah", "images", "--format={{.Name}}:{{.Tag}}");
  const names = listed.split("\n").filter((name) => /^localhost\/(?:case-|xbuild-env)/.test(name));
  if (names.length > 0) await exec("buildah", "rmi", "--force", ...names);
  await exec("buildah", "rmi", "--prune");
}
