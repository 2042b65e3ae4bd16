import { mkdir, writeFile } from "node:fs/promises";
import { collectDistribution, makeReleases } from "./series/collect/debian.ts";

const wanted = ["nginx", "curl", "python3-minimal", "postgresql-client"];
const distribution = await collectDistribution("bookworm", wanted);
const releases = makeReleases(distribution);
await mkdir("/tmp/series", { recursive: true });
await writeFile(
  "/tmp/series/debian-server.json",
  JSON.stringify({ name: "debian-server", title: "Debian 12 server", about: "", releases }),
);
for (const r of releases)
  console.log(
    r.date,
    r.units.length,
    r.units.reduce((a, u) => a + u.packed, 0),
  );
