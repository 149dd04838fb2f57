// What is POSTed to the port goes to every WebSocket on it.
"use strict";
const http = require("node:http");
const { WebSocketServer, WebSocket } = require("ws");

const server = http.createServer((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    const text = Buffer.concat(pieces);
    for (const client of sockets.clients) {
      if (client.readyState === WebSocket.OPEN) client.send(text, { binary: false });
    }
    response.writeHead(204).end();
  });
});
const sockets = new WebSocketServer({ server });
server.listen(Number(process.env.PORT), "127.0.0.1");
