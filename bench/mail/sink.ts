/**
 * An SMTP server that takes everything, as fast as it can: no parser, so that both sides are measured and not this. Prints the ports of its
 * SMTP and of its HTTP, which answers `{ mails, lastAt }`, in milliseconds since 1970.
 */

import { createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

let mails = 0;
let lastAt = 0;

const END_OF_DATA = "\r\n.\r\n";

function serve(socket: Socket): void {
  let text = "";
  let inData = false;
  socket.setEncoding("latin1");
  socket.setNoDelay(true);
  socket.on("error", () => {});
  socket.write("220 sink\r\n");
  socket.on("data", (chunk: string) => {
    text += chunk;
    let answer = "";
    for (;;) {
      const end = text.indexOf(inData ? END_OF_DATA : "\r\n");
      if (end < 0) break;
      const line = text.slice(0, end);
      text = text.slice(end + (inData ? END_OF_DATA.length : 2));
      if (inData) {
        mails++;
        lastAt = performance.timeOrigin + performance.now();
        inData = false;
        answer += "250 taken\r\n";
      } else if (line === "DATA") {
        inData = true;
        answer += "354 go on\r\n";
      } else answer += line === "QUIT" ? "221 bye\r\n" : "250 sink\r\n";
    }
    if (answer !== "") socket.write(answer);
  });
}

const server = createServer(serve).listen(0, "127.0.0.1", () => {
  Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: ({ port }) => console.log(JSON.stringify({ smtp: (server.address() as AddressInfo).port, http: port })),
  }, () => Response.json({ mails, lastAt }));
});
