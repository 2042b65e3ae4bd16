import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { removeTree } from "../system/remove-tree.ts";
import { assertInside } from "./inside.ts";
import { type Git, openGit } from "./git-program.ts";
import type { FetchPlace, GitSource } from "./model.ts";
import { nameSource } from "./parse.ts";
import { refuseFetch } from "./problems.ts";

/**
 * Fetches one commit of a repository without its history, submodules too, and leaves the files alone: no `.git`, as
 * BuildKit has it, so that the context is the same whatever the commit. @returns the directory that is meant.
 * Errors: `context-unavailable`, `context-not-found`, the signal's reason.
 */
export async function fetchRepository(source: GitSource, place: FetchPlace): Promise<string> {
  const { directory } = place;
  const git = openGit(source, place);
  await git.run(["init", "--quiet", "--template=", "."], { isBare: true });
  await git.run(["config", "remote.origin.url", source.url], { isBare: true });
  const commit = await fetchCommit(source, git);
  if (source.commit !== undefined && !commit.startsWith(source.commit)) {
    const reason = `it is the commit ${commit}, not ${source.commit}`;
    throw refuseFetch(nameSource(source), reason, {
      hint: "name another one, or another checksum",
    });
  }
  await git.run(["checkout", "--quiet", "--force", "--detach", commit], { isBare: true });
  if (lstatSync(join(directory, ".gitmodules"), { throwIfNoEntry: false })?.isFile() === true)
    await fetchSubmodules(git);
  await removeGit(directory, place);
  return assertInside(directory, source.subdirectory, {
    what: `the directory ${source.subdirectory}`,
    where: nameSource(source),
  });
}

const commitPattern = /^[0-9a-f]{7,64}$/;
const fetchOne = ["fetch", "--progress", "--depth=1", "--no-tags", "origin"];
const fetchAll = ["fetch", "--progress", "--tags", "origin", "+refs/heads/*:refs/remotes/origin/*"];

/** A branch or a tag, else a commit, which a server may give by its whole ID alone, or not at all. */
async function fetchCommit({ ref = "HEAD" }: GitSource, git: Git): Promise<string> {
  const answer = await git.ask([...fetchOne, ref]);
  if (answer.status === 0) return resolve("FETCH_HEAD", git);
  if (!commitPattern.test(ref)) throw git.refuse(answer);
  await git.run(fetchAll);
  return resolve(ref, git);
}

async function resolve(name: string, git: Git): Promise<string> {
  const words = ["rev-parse", "--quiet", "--verify", "--end-of-options", `${name}^{commit}`];
  const answer = await git.ask(words, { isBare: true });
  if (answer.status === 0) return answer.stdout.trim();
  throw git.refuse({ ...answer, stderr: `fatal: the repository has no commit ${name}` });
}

/** Filters are programs of the user's own configuration, which a submodule's attributes could name. */
async function fetchSubmodules(git: Git): Promise<void> {
  const listed = await git.ask(["config", "--name-only", "--get-regexp", "^filter[.]"]);
  const off = listed.stdout.split("\n").flatMap((name) => {
    if (name === "") return [];
    return ["-c", name.endsWith(".required") ? `${name}=false` : `${name}=`];
  });
  const words = ["submodule", "update", "--init", "--recursive", "--force", "--progress"];
  await git.run([...off, ...words, "--depth=1"]);
}

/** That of the repository, and those of its submodules. */
async function removeGit(directory: string, { signal }: FetchPlace): Promise<void> {
  for (const path of listGit(directory)) await removeTree(path, { signal });
}

function listGit(directory: string): readonly string[] {
  const found: string[] = [];
  const look = (parent: string): void => {
    for (const entry of readdirSync(parent, { withFileTypes: true })) {
      const path = join(parent, entry.name);
      if (entry.name === ".git") found.push(path);
      else if (entry.isDirectory()) look(path);
    }
  };
  look(directory);
  return found;
}
