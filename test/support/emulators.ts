import { join } from "node:path";
import { execa } from "execa";
import { unpackDebian } from "./debian-files.ts";

/** Emulators of Debian's qemu-user-static by the architectures that they run, as Go calls these. */
const programs: Readonly<Record<string, string>> = {
  "386": "i386",
  amd64: "x86_64",
  arm: "arm",
  arm64: "aarch64",
  loong64: "loongarch64",
  mips64le: "mips64el",
  ppc64le: "ppc64le",
  riscv64: "riscv64",
  s390x: "s390x",
};

export const emulated = Object.keys(programs);

/** The path of an emulator, which is not registered. */
export async function findEmulator(architecture: string): Promise<string> {
  const paths = Object.values(programs).map((one) => `usr/bin/qemu-${one}-static`);
  const host = process.arch === "arm64" ? "arm64" : "amd64";
  const directory = await unpackDebian("qemu-user-static", host, paths);
  return join(directory, "usr", "bin", `qemu-${programs[architecture]}-static`);
}

/** Magic and mask of the programs: their ELF header up to the machine. Documentation/admin-guide/binfmt-misc.rst */
const magics: Readonly<Record<string, string>> = {
  amd64: "\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\x3e\\x00",
  arm64: "\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00",
};
const mask =
  "\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff";
const entry = "xbuild-test";

/** `mount` first: it is its own process's alone. What stands there from an earlier test goes. */
const script = `mount -t binfmt_misc binfmt_misc /mnt
[ ! -e /mnt/${entry} ] || printf %s -1 > /mnt/${entry}
printf %s "$1" > /mnt/register
echo registered
read -r line
printf %s -1 > /mnt/${entry}`;

/**
 * Has the kernel run programs of an architecture by its emulator, in all containers: as root. binfmt_misc is mounted in
 * a mount namespace of its own; newer kernels (6.7) keep what is registered as long as that is.
 * @returns takes it away again
 */
export async function registerEmulator(
  architecture: keyof typeof magics,
): Promise<() => Promise<void>> {
  const program = await findEmulator(architecture);
  const line = `:${entry}:M::${magics[architecture]}:${mask}:${program}:F`;
  const child = execa("unshare", ["--mount", "sh", "-e", "-c", script, "sh", line]);
  await new Promise<void>((ready, fail) => {
    child.stdout.once("data", () => ready());
    child.catch(fail);
  });
  return async () => {
    child.stdin.end("end\n");
    await child;
  };
}
