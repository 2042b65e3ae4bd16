import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { Server } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { withTemporaryDirectory } from "../../test/support/images.ts";
import { portOf } from "../../test/support/port.ts";
import { createCertificates } from "../../test/support/registry-certificates.ts";
import { downloadFile } from "./download.ts";
import { fetchSource } from "./fetch.ts";
import { parseSource } from "./parse.ts";

async function listen(server: Server): Promise<number> {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return portOf(server);
}

const quiet = { onProgress: () => undefined, onSize: () => undefined };

function download(
  address: string,
  path: string,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const source = parseSource(address);
  if (source.kind !== "http") throw new Error(`${address} is no address of HTTP`);
  const { signal } = new AbortController();
  return downloadFile(source, path, { ...quiet, env, signal, timeout: 60_000 });
}

test("a server over TLS must be one that the machine trusts, and leads to no plain HTTP", () =>
  withTemporaryDirectory(async (directory) => {
    let plainRequests = 0;
    const plain = createServer((_, response) => {
      plainRequests += 1;
      response.end("plain");
    });
    const { key, cert, caFile } = await createCertificates(directory);
    const location = `http://127.0.0.1:${await listen(plain)}/`;
    const secure = createSecureServer({ key, cert }, (request, response) => {
      if (request.url === "/away") response.writeHead(302, { location }).end();
      else response.end("secure");
    });
    try {
      const address = `https://127.0.0.1:${await listen(secure)}`;
      const trusting = { HOME: directory, SSL_CERT_FILE: caFile };
      const file = join(directory, "file");
      await download(`${address}/file`, file, trusting);
      expect(await readFile(file, "utf8")).toBe("secure");
      const refused = { code: "context-unavailable" };
      await expect(
        download(`${address}/file`, `${file}-2`, { HOME: directory }),
      ).rejects.toMatchObject(refused);
      await expect(download(`${address}/away`, `${file}-3`, trusting)).rejects.toThrow(
        expect.objectContaining({ ...refused, message: expect.stringContaining("not over TLS") }),
      );
      expect(plainRequests).toBe(0);
    } finally {
      plain.close();
      secure.close();
    }
  }));

test("what is no archive ends when it is too long for a Containerfile, and not when the server does", () =>
  withTemporaryDirectory(async (directory) => {
    const line = Buffer.from(`${"# comment ".repeat(100_000)}\n`);
    const endless = createServer((_, response) => {
      const write = (): void => {
        while (!response.destroyed && response.write(line));
      };
      response.on("drain", write);
      write();
    });
    const source = parseSource(`http://127.0.0.1:${await listen(endless)}/x`);
    const { signal } = new AbortController();
    const place = { directory, env: {}, signal, timeout: 60_000, onProgress: () => undefined };
    try {
      await expect(fetchSource(source, place, process.stdin)).rejects.toMatchObject({
        code: "context-archive-invalid",
        message: expect.stringContaining("more than 64 MiB"),
      });
      const size = (await stat(join(directory, "archive"))).size;
      expect(size).toBeLessThan(2 * 64 * 1024 * 1024);
    } finally {
      endless.closeAllConnections();
      endless.close();
    }
  }));
