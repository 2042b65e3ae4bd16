// A TCP proxy that counts the bytes between clients and a server on 127.0.0.1, HTTP's headers too.
//
//   node count-bytes.mjs SERVER-PORT FILE
//
// Prints the port that it listens on. FILE holds "DOWN UP" at any time: what the clients have got and sent.
// Who writes "0 0" into it, while nothing is under way, begins anew.
import { readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";

const [serverPort, file] = process.argv.slice(2);

function count(down, up) {
  const [oldDown, oldUp] = readFileSync(file, "utf8").split(" ").map(Number);
  writeFileSync(file, `${oldDown + down} ${oldUp + up}\n`);
}

// Counted before they go on: who has an answer finds its bytes in the file.
function relay(from, to, note) {
  from.on("data", (chunk) => {
    note(chunk.length);
    if (!to.write(chunk)) from.pause();
  });
  to.on("drain", () => from.resume());
  from.on("end", () => to.end());
  from.on("error", () => to.destroy());
  from.on("close", () => to.destroySoon());
}

const proxy = createServer({ allowHalfOpen: true }, (client) => {
  const server = connect({ port: Number(serverPort), host: "127.0.0.1", allowHalfOpen: true });
  relay(server, client, (bytes) => count(bytes, 0));
  relay(client, server, (bytes) => count(0, bytes));
});

writeFileSync(file, "0 0\n");
proxy.listen(0, "127.0.0.1", () => process.stdout.write(`${proxy.address().port}\n`));
