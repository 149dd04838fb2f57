// Olaru's program, mended; "mended" says where.
"use strict";
const http = require("node:http");
const { server: WebSocketServer } = require("websocket");

const clients = new Set(); // mended: each once, not once for each of its messages
const server = http.createServer((request, response) => {
  response.writeHead(404).end(); // mended: who asks for a page gets an answer
});
server.listen(Number(process.env.PORT), "127.0.0.1");

const wsServer = new WebSocketServer({ httpServer: server });
wsServer.on("request", (request) => {
  if (request.origin && request.origin !== `http://${request.host}`) {
    request.reject(403, "foreign Origin"); // mended: a page from elsewhere is not let in
    return;
  }
  const connection = request.accept(null, request.origin);
  clients.add(connection); // mended: when it comes, not when it speaks
  connection.on("message", (message) => {
    if (message.type === "utf8") connection.sendUTF("Hello");
  });
  connection.on("close", () => { // mended: its first argument is a code, not a connection
    clients.delete(connection); // mended: who left is forgotten
    for (const client of clients) client.sendUTF("someone left");
  });
});
