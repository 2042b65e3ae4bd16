// Makes the image of the BuildKit frontend with xbuild itself: Node, perl (which reads extended attributes), their
// libraries and xbuild's own program, a layer each. Without --platform it is made of what this machine has; arguments
// are those of `xbuild collect`. With --platform it is an index with an image for each platform, made of Debian's
// packages and of Node from npm, all of the same versions and of times that do not change. Without a destination among
// the arguments xbuild-frontend.tar is written, an OCI archive.
// usage: frontend-image.mjs [-t NAME --push] [-o oci-archive:FILE] [FLAG...]
//        frontend-image.mjs --platform linux/amd64,linux/arm64 [-t NAME --push] [-o oci-archive:FILE] [-q]
//          [--timestamp SECONDS] [--compression HOW] [--tls-verify=false] [--creds USER:PASSWORD] [--authfile FILE]
//          [--cert-dir DIR]
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { collect, defaultOutput, writeImage } from "./frontend-image/collect.mjs";
import { listOwnParts } from "./frontend-image/own-parts.mjs";
import { makeIndex } from "./frontend-image/make-index.mjs";
import { readRequest, RequestError } from "./frontend-image/request.mjs";

const given = process.argv.slice(2);
const work = mkdtempSync(join(tmpdir(), "xbuild-frontend-"));
try {
  process.exitCode = given.some((one) => /^--platform(?:=|$)/.test(one))
    ? makeIndex(readRequest(given), work)
    : makeOwn();
} catch (error) {
  if (!(error instanceof RequestError)) throw error;
  console.error(`frontend-image: ${error.message}`);
  process.exitCode = error.status;
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** @returns the exit status */
function makeOwn() {
  writeImage(work, listOwnParts());
  const isSent = given.some((one) => /^(?:-o|--output|--push|--load)/.test(one));
  return collect(work, isSent ? given : ["-o", defaultOutput, ...given]);
}
