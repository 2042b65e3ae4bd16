import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { baseImage, useSandbox } from "../support/sandbox.ts";

// Heredocs of files with an OUTPUT: the same with engines that know none and with those that do. What each form comes
// to is BuildKit's.

const sandbox = useSandbox();
const base = "localhost/heredoc-base:latest";

beforeAll(async () => {
  const { context, sandbox: own } = await sandbox.project({
    Containerfile: `FROM ${baseImage}\nENV BASE="the base"\nSHELL ["/bin/sh", "-fc"]\n`,
  });
  await own.exec("buildah", "build", "--quiet", "--format=docker", "-t", base, context);
});

/** Every form, each of which writes a file into /t of its stage. */
const forms = String.raw`RUN <<EOF
# no comment of the Containerfile's

mkdir -p /t
echo "one \\ \$HOME a\": b" * > /t/script
false
  echo 'two "quoted"	tab' >> /t/script \
    && echo end >>/t/script   
EOF
RUN <<-"EOF"
	printf '%s\n' "$0" > /t/tabs
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
RUN true && \
  # a comment within
  cat <<EOF > /t/joined
x
EOF
COPY <<plain <<-'quoted' /t/
$A \$A "$A" '$UNSET' a\b
plain
	$A
	quoted
COPY --chmod=750 --chown=1000 <<EOF /t/owned
EOF
ADD copied <<added /t/
$WHO of $BASE
added
SHELL ["/bin/sh", "-ec"]
RUN <<EOF
echo still > /t/shell
false || true
EOF
USER app
RUN <<EOF
#!/bin/sh
id -u
EOF
USER root
RUN <<EOF
#!/bin/sh
stat -c '%a %u:%g %n' /t/plain /t/owned > /t/stat
EOF
`;

const told: Readonly<Record<string, string>> = {
  script: 'one \\ $HOME a": b *\ntwo "quoted"\ttab\nend\n',
  tabs: "/bin/sh\narg\n",
  several: "first arg\nsecond $A\n",
  stdin: "arg\n",
  program: "awk arg\n",
  joined: "x\n",
  plain: `arg $A "arg" '' ab\n`,
  quoted: "$A\n",
  owned: "",
  copied: "from the context\n",
  added: "me of the base\n",
  shell: "still\n",
  stat: "644 0:0 /t/plain\n750 1000:1000 /t/owned\n",
};

const head = `FROM ${base}\nARG A=arg\nENV WHO=me\n`;
const emit = "RUN /layers/bin/layer add t /t\n";
const places = {
  "before OUTPUT": `${head}${forms}OUTPUT /layers\n${emit}`,
  "behind OUTPUT": `${head}OUTPUT /layers\n${forms}${emit}`,
  "in a plain stage": `${head.replace("\n", " AS plain\n")}${forms}FROM ${base}\nOUTPUT /layers\nCOPY --from=plain /t /t\n${emit}`,
};

const copied = { copied: "from the context\n" };

test.each(Object.entries(places))("every form %s", async (_, text) => {
  const project = await sandbox.project({ "Containerfile.x": text, ...copied });
  const built = await project.build(["--no-load"]);
  const read = async (name: string) => readFile(join(built.image.files, "t", name), "utf8");
  const found = Object.keys(told).map(async (name) => [name, await read(name)] as const);
  expect(Object.fromEntries(await Promise.all(found))).toEqual(told);
  expect(built.stderr).not.toContain("engine-version");
});

describe("the engine's cache", () => {
  const write = (run: string, copy: string): string => `FROM ${baseImage}
RUN <<EOF
cat /proc/sys/kernel/random/uuid > /stamp
${run}
EOF
COPY <<EOF /copied
${copy}
EOF
OUTPUT /layers
RUN /layers/bin/layer add t /stamp /copied
`;

  test("the same text is the same step, another text another one", async () => {
    const project = await sandbox.project({ "Containerfile.x": write("true", "one") });
    const build = async (args: readonly string[] = []) => {
      const { files } = (await project.build(["--no-load", ...args])).image;
      const read = (name: string) => readFile(join(files, name), "utf8");
      return [await read("stamp"), await read("copied")] as const;
    };
    const [stamp] = await build();
    await project.write({ "Containerfile.x": `# a comment\n${write("true", "two")}RUN true\n` });
    expect(await build()).toEqual([stamp, "two\n"]);
    await project.write({ "Containerfile.x": write(": true", "two") });
    expect((await build())[0]).not.toBe(stamp);
  });
});
