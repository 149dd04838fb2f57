// What is POSTed to /publish goes to everybody.
"use strict";
const http = require("node:http");
const { Server } = require("socket.io");

const server = http.createServer((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    io.emit("message", Buffer.concat(pieces).toString());
    response.writeHead(204).end();
  });
});
const io = new Server(server);
server.listen(Number(process.env.PORT), "127.0.0.1");
