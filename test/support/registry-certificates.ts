import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";

/** A server's key and certificate, and who vouches for it. */
export interface Certificates {
  /** PEM. */
  readonly key: Buffer;
  readonly cert: Buffer;
  /** The CA's certificate, PEM, alone in its directory as skopeo's `--cert-dir` wants it. */
  readonly caFile: string;
}

/** Makes a CA that nobody knows and a certificate of its for 127.0.0.1, localhost and registry.test, in this directory. */
export async function createCertificates(directory: string): Promise<Certificates> {
  const ca = { cert: join(directory, "ca", "ca.crt"), key: join(directory, "ca.key") };
  const server = { cert: join(directory, "server.crt"), key: join(directory, "server.key") };
  // A file of our own, so that the machine's openssl.cnf adds nothing.
  const config = join(directory, "openssl.cnf");
  await mkdir(dirname(ca.cert));
  await writeFile(config, "[req]\ndistinguished_name = name\n[name]\n");
  await create(config, "xbuild test CA", ca, [
    "basicConstraints=critical,CA:TRUE",
    "keyUsage=keyCertSign",
    "subjectKeyIdentifier=hash",
  ]);
  await create(
    config,
    "127.0.0.1",
    server,
    ["basicConstraints=CA:FALSE", "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:registry.test"],
    ["-CA", ca.cert, "-CAkey", ca.key],
  );
  return { key: await readFile(server.key), cert: await readFile(server.cert), caFile: ca.cert };
}

/** Signed by itself where no issuer is named. */
async function create(
  config: string,
  name: string,
  files: { readonly cert: string; readonly key: string },
  extensions: readonly string[],
  issuer: readonly string[] = [],
): Promise<void> {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const out = ["-subj", `/CN=${name}`, "-keyout", files.key, "-out", files.cert];
  const added = extensions.flatMap((extension) => ["-addext", extension]);
  const words = ["req", "-config", config, "-x509", "-days", "2", ...key, ...out, ...added];
  await execa("openssl", [...words, ...issuer]);
}
