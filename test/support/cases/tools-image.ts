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

/** The image that the bases of all cases stand on: busybox, GNU tar, and programs that tell what they see. */
export async function createToolsImage(sandbox: Sandbox): Promise<void> {
  const context = join(sandbox.directory, "tools");
  const scripts = { tell, take, "shell-one": shell("one"), "shell-two": shell("two") };
  await mkdir(join(context, "bin"), { recursive: true });
  for (const [name, text] of Object.entries(scripts)) {
    await writeFile(join(context, "bin", name), text, { mode: 0o755 });
  }
  const { stdout } = await execa("ldd", ["/bin/tar"]);
  const libraries = stdout.match(/\/\S+/g) ?? [];
  for (const path of libraries) {
    await mkdir(dirname(join(context, path)), { recursive: true });
    await cp(path, join(context, path), { dereference: true });
  }
  await mkdir(join(context, "gnu"));
  await cp("/bin/tar", join(context, "gnu", "tar"));
  const text = `FROM ${baseImage}
COPY . /
RUN mv /gnu/tar /bin/tar && rmdir /gnu && mkdir -m 1777 /told
`;
  const file = join(sandbox.directory, "tools.Containerfile");
  await writeFile(file, text);
  const words = ["--quiet", "--layers=false", "-f", file, "-t", "localhost/cases"];
  await sandbox.exec("buildah", "build", ...words, context);
}
