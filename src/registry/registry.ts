export type { Environment, RegistryAccess } from "./access.ts";
export { type RegistryClient, withRegistryClient } from "./client.ts";
export { exists, homeDirectory, readText } from "./files.ts";
export { createRegistryError } from "./failures.ts";
export { isLoopback } from "./proxy.ts";
export { type RegistryTransfers, withTransfers } from "./transfers.ts";
export { readRegistriesConf, resolveShortName } from "./registries-conf.ts";
export { findRegistriesConf } from "./registries-files.ts";
