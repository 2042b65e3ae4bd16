import { renderSize, sumSizes } from "../../units.ts";
import { platformOf, renderPlatform } from "../../oci/oci.ts";
import {
  type NamedBase,
  rebase,
  type RebasedIndex,
  type RebaseResult,
} from "../../rebase/rebase.ts";
import { parseCommandLine, isSet } from "../line/arguments.ts";
import { readProgress } from "../line/progress.ts";
import type { CliIo } from "../io.ts";
import { createRebaseRequest, rebaseFlags, readTime } from "../request/rebase-request.ts";
import { readAccess } from "../request/registries.ts";
import { createReporter } from "../report/reporter.ts";
import { countLayers } from "../report/text.ts";
import { openUserStore } from "./store-command.ts";
import { joinVisible, paintText, show, type Visible } from "../../visible.ts";

const help = show`Usage: xbuild rebase IMAGE --onto NEW [--from OLD] [FLAGS]

Puts the image's own layers onto another base, without building. IMAGE is a name of the store, or
docker://NAME: then it is done in the registry, and no layer of its own is moved. NEW and OLD are names of
the store, of a registry, or oci:DIR, docker-archive:FILE and the like.

      --onto NEW           the new base
      --from OLD           the base that the image was built on (default: what its annotations say)
  -t, --tag NAME           name the result instead (docker://: push it there); repeatable
      --push               push the image of the store to the registries that its names say
      --force              although own layers hide what changed in the base
      --max-layers N       how many layers the result may have (default 127)
      --platform OS/ARCH   which image of a list is meant (default: all of them)
  -q, --quiet              print the digest alone
      --progress MODE      auto, plain, tty, rawjson or quiet, as with xbuild build
      --tls-verify, --creds, --authfile, --cert-dir, --retry, --retry-delay   as with xbuild build
`;

/**
 * `xbuild rebase`. @returns 0
 * @throws XbuildError `usage`, `name-invalid`, `rebase-*`, `image-not-found`, `registry-*`
 */
export async function runRebase(argv: readonly string[], io: CliIo): Promise<number> {
  const line = parseCommandLine(argv, rebaseFlags);
  if (isSet(line, "help")) {
    io.stdout(help);
    return 0;
  }
  const request = await createRebaseRequest(line, io);
  const progress = readProgress(line, io);
  const quiet = progress === "quiet";
  const store = await openUserStore(io);
  const registries = readAccess(line, io);
  const reporter = createReporter(io, { progress });
  const work = { store, registries, reporter, signal: io.signal, now: readTime(io) };
  const result = await rebase(request, work);
  const names = [...request.names, ...request.pushes.map((one) => one.text)];
  const { digest } = "index" in result ? result.index : result.image;
  reporter.result({ names, digest, upToDate: result.isUpToDate });
  if (!quiet) io.stdout(renderAll(result, names.join(", "), io));
  io.stdout(show`${digest}\n`);
  return 0;
}

/** Of an index each of its images. */
function renderAll(result: RebaseResult | RebasedIndex, title: string, io: CliIo): Visible {
  if (!("index" in result)) return renderResult(result, title, io);
  return joinVisible(
    result.platforms.map((one) =>
      renderResult(one, `${title} (${renderPlatform(platformOf(one.image))})`, io),
    ),
  );
}

function renderResult(
  { image, download, isUpToDate, from, onto }: RebaseResult,
  title: string,
  io: CliIo,
): Visible {
  if (isUpToDate) {
    const state = paintText(io, "green", "Up to date");
    return show`${state}: ${title} is on ${renderBase(onto)}\n`;
  }
  const own = image.manifest.layers.slice(onto.layers);
  const size = renderSize(sumSizes(own));
  const counts = `${countLayers(from.layers, "base")} replaced by ${onto.layers}, ${countLayers(own.length, "own")} kept`;
  return joinVisible([
    show`${paintText(io, "bold", title)}: ${counts} (${size})\n`,
    show`  old base ${renderBase(from)}\n`,
    show`  new base ${renderBase(onto)}\n`,
    show`  download: ${renderSize(download)} for whoever has the image before\n`,
  ]);
}

function renderBase({ name, digest }: NamedBase): string {
  return name.includes(digest) ? name : `${name}@${digest}`;
}
