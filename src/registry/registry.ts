export type { Environment, RegistryAccess } from "./access.ts";
export { type RegistryClient, withRegistryClient } from "./client.ts";
export { readCertificates } from "./certificates.ts";
export { exists, homeDirectory, readText } from "./files.ts";
export { createRegistryError } from "./failures.ts";
export { openHttp } from "./http.ts";
export { type RegistryTransfers, withTransfers } from "./transfers.ts";
export { readRegistriesConf, resolveShortName } from "./registries-conf.ts";
export { findRegistriesConf } from "./registries-files.ts";
