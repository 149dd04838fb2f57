// What is POSTed to the port goes to every WebSocket on it.
"use strict";
const http = require("node:http");
const { server: WebSocketServer } = require("websocket");

const server = http.createServer((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    sockets.broadcastUTF(Buffer.concat(pieces).toString());
    response.writeHead(204).end();
  });
});
const sockets = new WebSocketServer({ httpServer: server, autoAcceptConnections: false });
sockets.on("request", (request) => request.accept(null, request.origin));
server.listen(Number(process.env.PORT), "127.0.0.1");
