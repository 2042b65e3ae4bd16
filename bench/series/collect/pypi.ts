import type { Change } from "../model.ts";
import { comparePep440, isFinal } from "./pep440.ts";

/** When each version was first uploaded, in seconds since 1970. */
export type Uploads = Readonly<Record<string, number>>;

/** A file of a project, as the index tells of it. */
interface IndexedFile {
  readonly filename: string;
  readonly "upload-time"?: string;
}

/** Asks the index for a project. */
export async function askIndex(name: string): Promise<Uploads> {
  const url = `https://pypi.org/simple/${name}/`;
  const accept = "application/vnd.pypi.simple.v1+json";
  const response = await fetch(url, { headers: { accept } });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: try it again`);
  const { files }: { files: readonly IndexedFile[] } = JSON.parse(await response.text());
  return listUploads(files);
}

export function listUploads(files: readonly IndexedFile[]): Uploads {
  const uploads: Record<string, number> = {};
  for (const { filename, "upload-time": at } of files) {
    const version = versionOf(filename);
    const time = Math.floor(Date.parse(at ?? "") / 1000);
    if (version === undefined || Number.isNaN(time)) continue;
    uploads[version] = Math.min(time, uploads[version] ?? time);
  }
  return uploads;
}

/** `1.2` of `name-1.2-py3-none-any.whl` and of `na-me-1.2.tar.gz`. */
function versionOf(filename: string): string | undefined {
  return (
    /^[^-]+-([^-]+)-.*\.whl$/.exec(filename)?.[1] ??
    /-([^-]+)\.(?:tar\.gz|tar\.bz2|zip|tgz)$/.exec(filename)?.[1]
  );
}

/** What had been uploaded of a project when that version was, as a changelog: versions that are no newer than it. */
export function listUploadsUntil(uploads: Uploads, version: string): readonly Change[] {
  const until = uploads[version] ?? 0;
  const isLike = isFinal(version) ? isFinal : () => true;
  return Object.entries(uploads)
    .filter(
      ([one, time]) =>
        one === version || (time <= until && isLike(one) && comparePep440(one, version) < 0),
    )
    .toSorted(([, one], [, two]) => two - one)
    .map(([, time]) => ({ time, distribution: "latest", advisories: 0 }));
}
