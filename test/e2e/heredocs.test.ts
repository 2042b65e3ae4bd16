import { mkdtemp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { beforeAll, expect, test } from "vitest";
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

async function readTold(files: string): Promise<typeof told> {
  const read = async (name: string) => readFile(join(files, "t", name), "utf8");
  const found = Object.keys(told).map(async (name) => [name, await read(name)] as const);
  return Object.fromEntries(await Promise.all(found));
}

const copied = { copied: "from the context\n" };

test.each(Object.entries(places))("every form %s", async (_, text) => {
  const project = await sandbox.project({ "Containerfile.x": text, ...copied });
  const built = await project.build(["--no-load"]);
  expect(await readTold(built.image.files)).toEqual(told);
  expect(built.stderr).not.toContain("engine-version");
});

/** A stamp that another run of the RUN would change, and a file. */
function writeStamped(run: string, copy: string): string {
  return `FROM ${baseImage}
RUN <<EOF
cat /proc/sys/kernel/random/uuid > /stamp
${run}
EOF
COPY <<EOF /copied
${copy}
EOF
OUTPUT /layers
RUN <<EOF sh -e
/layers/bin/layer add t /stamp /copied
EOF
`;
}

test("the engine's cache has the same text, and no other one", async () => {
  const project = await sandbox.project({ "Containerfile.x": writeStamped("true", "one") });
  const build = async () => {
    const { files } = (await project.build(["--no-load"])).image;
    const read = (name: string) => readFile(join(files, name), "utf8");
    return [await read("stamp"), await read("copied")] as const;
  };
  const [stamp] = await build();
  await project.write({ "Containerfile.x": writeStamped("true", "two") });
  expect(await build()).toEqual([stamp, "two\n"]);
  await project.write({ "Containerfile.x": writeStamped(": true", "two") });
  expect((await build())[0]).not.toBe(stamp);
});

test.each([
  ["before OUTPUT", "RUN <<EOF\ntrue\nexit 7\nEOF\nOUTPUT /layers\nRUN true\n", "2 | RUN <<EOF"],
  ["behind OUTPUT", 'OUTPUT /layers\nRUN cat <<"E" && exit 7\n"a": b\nE\n', '3 | RUN cat <<"E"'],
])("a step that fails %s is shown where it stands", async (_, text, line) => {
  const project = await sandbox.project({ "Containerfile.x": `FROM ${baseImage}\n${text}` });
  expect((await project.fail(7)).stderr).toContain(line);
});

test("what expand prints does the same", async () => {
  const project = await sandbox.project({ "Containerfile.x": places["before OUTPUT"], ...copied });
  const { stdout } = await project.run(["expand", project.context]);
  // The helper is xbuild's own, and not in the script.
  const emit = stdout.replaceAll("/layers/bin/layer add t /t", "cp -r /t /layers/output");
  const directory = await mkdtemp(join(sandbox.directory, "expanded-"));
  const script = `${emit}\ncp -r "$XBUILD_RUN"/output/t "$1"\n`;
  await execa("sh", ["-s", directory], { input: script, env: sandbox.env });
  expect(await readTold(directory)).toEqual(told);
});
