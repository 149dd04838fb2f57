// For programs with a port of their own: wherever they say, they listen at PORT of this machine.
"use strict";
const net = require("node:net");

const { listen } = net.Server.prototype;
net.Server.prototype.listen = function (...asked) {
  const done = asked.filter((one) => typeof one === "function");
  return listen.call(this, Number(process.env.PORT), "127.0.0.1", ...done);
};
