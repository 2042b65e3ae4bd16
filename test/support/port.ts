import type { Server } from "node:net";

/** The TCP port that a server listens on. @throws where it listens on none */
export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("it listens on no port");
  return address.port;
}
