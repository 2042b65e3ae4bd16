import { showJson, type Visible } from "../../visible.ts";
import { isJsonObject } from "../../oci/oci.ts";
import type { ResolvedBake } from "./resolve.ts";
import { type BakeTarget, targetSchema } from "./schema.ts";

/**
 * What bake builds, as JSON that it reads again: the order of keys is that of `docker buildx bake --print`, and texts
 * that would be templates are escaped.
 */
export function renderBake({ groups, targets }: ResolvedBake): Visible {
  return showJson({
    group: sortMembers(Object.fromEntries(groups)),
    target: sortMembers(
      Object.fromEntries(targets.map(({ name, target }) => [name, renderTarget(target)])),
    ),
  });
}

function renderTarget(target: BakeTarget): unknown {
  const members = Object.keys(targetSchema.out.shape).flatMap((key) => {
    const value: unknown = Object.entries(target).find(([name]) => name === key)?.[1];
    return isEmpty(value) ? [] : [[key, escapeTexts(renderValue(key, value))] as const];
  });
  return Object.fromEntries(members);
}

function renderValue(key: string, value: unknown): unknown {
  // The order of these is that of their types there.
  if (key === "secret" || key === "ssh") return value;
  if (key === "resources" && isJsonObject(value)) return renderResources(value);
  return Array.isArray(value) ? value.map(sortMembers) : sortMembers(value);
}

/** Shares, periods and quotas are numbers. */
function renderResources(value: Readonly<Record<string, unknown>>): unknown {
  const entries = Object.entries(value).map(([key, item]) => {
    const isCount = /^cpu-(?:shares|period|quota)$/.test(key) && /^-?\d{1,15}$/.test(String(item));
    return [key, isCount ? Number(item) : item] as const;
  });
  return Object.fromEntries(entries);
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === "") return true;
  if (Array.isArray(value)) return value.length === 0;
  return isJsonObject(value) && Object.keys(value).length === 0;
}

function sortMembers(value: unknown): unknown {
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function escapeTexts(value: unknown): unknown {
  if (typeof value === "string") return value.replaceAll(/[$%](?=\{)/g, "$&$&");
  if (Array.isArray(value)) return value.map(escapeTexts);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [escapeTexts(key), escapeTexts(item)]),
  );
}
