import { join } from "node:path";
import { isJsonObject, tryParseJson } from "../oci/oci.ts";
import { type Environment, exists, homeDirectory, readText } from "../registry/registry.ts";

/**
 * Whether the policy that is in force accepts every image, so that nobody needs to be asked: the user's, where there
 * is one, else the machine's. One that is missing or broken does not: skopeo says what is wrong with it.
 * containers-policy.json(5), containers/image `defaultPolicyPath`. @param root stands before /etc
 */
export async function acceptsAnything(env: Environment, root = "/"): Promise<boolean> {
  const own = join(homeDirectory(env), ".config/containers/policy.json");
  const path = (await exists(own)) ? own : join(root, "etc/containers/policy.json");
  const text = await readText(path);
  return text !== undefined && isPermissive(text);
}

/** Only what skopeo is sure to read likewise: no member twice, none that it does not know, no scope but that of all. */
function isPermissive(text: string): boolean {
  const policy = tryParseJson(text);
  if (!isJsonObject(policy) || !isWhole(text, policy)) return false;
  const { default: requirements, transports = {}, ...others } = policy;
  if (!acceptsAll(requirements) || !isJsonObject(transports)) return false;
  return (
    Object.keys(others).length === 0 &&
    Object.values(transports).every((scopes) => isJsonObject(scopes) && scopesAcceptAll(scopes))
  );
}

/** JSON.parse drops a member that comes again. */
function isWhole(text: string, value: unknown): boolean {
  return dropSpace(JSON.stringify(value)) === dropSpace(text);
}

function dropSpace(text: string): string {
  return text.replaceAll(/\s/g, "");
}

function scopesAcceptAll(scopes: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(scopes).every(([scope, list]) => scope === "" && acceptsAll(list));
}

function acceptsAll(requirements: unknown): boolean {
  if (!Array.isArray(requirements) || requirements.length === 0) return false;
  return requirements.every(
    (one) => JSON.stringify(one) === JSON.stringify({ type: "insecureAcceptAnything" }),
  );
}
