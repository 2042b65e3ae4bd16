// The parts of undici that a client of registries needs: the whole has fetch, web sockets and caches besides, and takes
// twice as long to load. They are loaded by their files, so the version in package.json is an exact one.
import connect from "undici/lib/api/api-connect.js";
import request from "undici/lib/api/api-request.js";
import buildConnector from "undici/lib/core/connect.js";
import Agent from "undici/lib/dispatcher/agent.js";
import Dispatcher from "undici/lib/dispatcher/dispatcher.js";

// As undici's own index.js does it.
Object.assign(Dispatcher.prototype, { connect, request });

export { Agent, buildConnector };
