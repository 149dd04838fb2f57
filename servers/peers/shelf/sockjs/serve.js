// What is POSTed outside of SockJS's own path goes to everybody, in whatever way they came.
"use strict";
const http = require("node:http");
const sockjs = require("sockjs");

const people = new Set();
const everybody = sockjs.createServer({ log: () => {} });
everybody.on("connection", (one) => {
  people.add(one);
  one.on("close", () => people.delete(one));
});
const server = http.createServer((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    const text = Buffer.concat(pieces).toString();
    for (const one of people) one.write(text);
    response.writeHead(204).end();
  });
});
everybody.installHandlers(server, { prefix: "/all" });
server.listen(Number(process.env.PORT), "127.0.0.1");
