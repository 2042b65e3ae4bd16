import type { Release, Unit } from "../model.ts";
import { hashText, mapSome, remember } from "./cache.ts";
import { application } from "./npm.ts";
import { askIndex, listUploadsUntil } from "./pypi.ts";
import { toRest } from "./units.ts";
import { measureInstalled, openUv, resolveRequirements, type Locked } from "./uv.ts";

/** What uv would have installed on each of these days; the last is the day of collection. */
export async function collectPython(
  requirements: readonly string[],
  days: readonly string[],
): Promise<readonly Release[]> {
  const uv = await openUv();
  const key = hashText(requirements.join("\n"));
  const states = await mapSome(days, 2, (day) =>
    remember(`python/states-${key}/${day}`, () => resolveRequirements(uv, requirements, day)),
  );
  const units = new Map<string, Unit>();
  const distinct = new Map(states.flat().map((one) => [nameVersion(one), one]));
  await mapSome([...distinct], 6, async ([name, one]) => {
    const make = (): Promise<typeof application> => measureInstalled(uv, name);
    const sizes = await remember(`python/sizes/${name}`, make);
    const asked = `python/projects-${days.at(-1)}/${one.name}`;
    const uploads = await remember(asked, () => askIndex(one.name));
    const changes = listUploadsUntil(uploads, one.version);
    units.set(name, toRest("pip", one.name, { version: one.version, ...sizes, changes }));
  });
  return states.map((state, at) => {
    const date = days[at] ?? "";
    const packages = state.flatMap((one) => {
      const unit = units.get(nameVersion(one));
      return unit === undefined ? [] : { ...unit, needs: one.needs };
    });
    return {
      date,
      units: [...packages, toRest("other", "app", { version: date, ...application })],
    };
  });
}

function nameVersion({ name, version }: Locked): string {
  return `${name}==${version}`;
}
