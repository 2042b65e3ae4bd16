import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { portOf } from "../../test/support/port.ts";
import { withTransfers } from "./transfers.ts";

let directory: string;
let server: Server;
let answers: Readonly<Record<string, { readonly body: string; readonly link?: string }>>;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "xbuild-tags-"));
  // Keeps the machine's own configuration out.
  await mkdir(join(directory, ".config/containers"), { recursive: true });
  await writeFile(join(directory, ".config/containers/registries.conf"), "");
  server = createServer((request, response) => {
    const answer = request.url === "/v2/" ? { body: "{}" } : answers[request.url ?? ""];
    const headers = answer?.link === undefined ? {} : { link: answer.link };
    response.writeHead(answer === undefined ? 404 : 200, headers).end(answer?.body ?? "{}");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await rm(directory, { recursive: true, force: true });
});

function listTags(name: string): Promise<readonly string[]> {
  const env = { HOME: directory, XDG_RUNTIME_DIR: directory };
  const access = { tlsVerify: false, env, retries: 0 };
  const host = `127.0.0.1:${portOf(server)}`;
  return withTransfers(access, undefined, (one) => one.listTags(`${host}/${name}`));
}

test("all pages, none of a repository that is not there, and none of an empty one", async () => {
  const next = "/v2/team/app/tags/list?last=b&n=2";
  answers = {
    "/v2/team/app/tags/list": { body: '{"tags":["a","b"]}', link: `<${next}>; rel="next"` },
    [next]: { body: '{"tags":["c"]}' },
    "/v2/empty/tags/list": { body: '{"name":"empty","tags":null}' },
  };
  expect(await listTags("team/app")).toEqual(["a", "b", "c"]);
  expect(await listTags("empty")).toEqual([]);
  expect(await listTags("none")).toEqual([]);
});

test.each([
  ["another registry", '{"tags":[]}', '<http://192.0.2.1/v2/x>; rel="next"', "goes on elsewhere"],
  ["itself, for ever", '{"tags":["a"]}', '</v2/app/tags/list>; rel="next"', "more than 100 pages"],
  ["nothing that it is", '{"tags":"a"}', undefined, "its list of tags is none"],
])("a list that leads to %s is an error", async (_, body, link, message) => {
  answers = { "/v2/app/tags/list": { body, ...(link === undefined ? {} : { link }) } };
  const error = expect.objectContaining({
    code: "registry-corrupt",
    message: expect.stringContaining(message),
  });
  await expect(listTags("app")).rejects.toEqual(error);
});
