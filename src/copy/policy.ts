import { join } from "node:path";
import { isJsonObject, tryParseJson } from "../oci/oci.ts";
import { type Environment, exists, homeDirectory, readText } from "../registry/registry.ts";

/**
 * Whether the policy that is in force accepts every image, so that nobody needs to be asked: the user's, where there
 * is one, else the machine's. One that is missing or broken does not: skopeo says what is wrong with it.
 * containers-policy.json(5), containers/image `defaultPolicyPath`. @param root stands before /etc
 */
export async function acceptsAnything(env: Environment, root = "/"): Promise<boolean> {
  const text = await readText(await findPolicy(env, root));
  return text !== undefined && isPermissive(text);
}

async function findPolicy(env: Environment, root: string): Promise<string> {
  const own = join(homeDirectory(env), ".config/containers/policy.json");
  return (await exists(own)) ? own : join(root, "etc/containers/policy.json");
}

/** What is wrong with the policy in force itself, in words; undefined where it can be applied. */
export async function findPolicyFault(env: Environment, root = "/"): Promise<string | undefined> {
  const path = await findPolicy(env, root);
  const text = await readText(path);
  if (text === undefined) return `${path} cannot be read`;
  const policy = tryParseJson(text);
  if (!isJsonObject(policy)) return `${path} is no JSON object`;
  const { default: requirements, transports = {} } = policy;
  const scopes = isJsonObject(transports) ? Object.values(transports) : [undefined];
  const lists = [requirements, ...scopes.flatMap(listScopes)];
  return lists.every(areRequirements) ? undefined : `${path} has a requirement of an unknown kind`;
}

function listScopes(scopes: unknown): readonly unknown[] {
  return isJsonObject(scopes) ? Object.values(scopes) : [undefined];
}

/** containers-policy.json(5), "POLICY REQUIREMENTS" */
const kinds = new Set<unknown>([
  "insecureAcceptAnything",
  "reject",
  "signedBy",
  "signedBaseLayer",
  "sigstoreSigned",
]);

function areRequirements(list: unknown): boolean {
  if (!Array.isArray(list) || list.length === 0) return false;
  return list.every((one) => isJsonObject(one) && kinds.has(one["type"]));
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
