// The shapes that pass between server, lanes and page, for the type checker; no page loads this.

/** A message as the server tells it, with `text` or `base64`; lanes make it one with `bytes`. */
interface Message {
  id: number;
  sender: string;
  text?: string;
  base64?: string;
  bytes?: Uint8Array<ArrayBuffer>;
  sent_ns: number;
  published_ns: number;
  presence?: "joined" | "left";
  /** When the lane had it, in local milliseconds, and bytes of its body. */
  at?: number;
  size?: number;
  /** The page adds these, in the server's milliseconds: `latency` runs from when it was sent. */
  arrived?: number;
  published?: number;
  latency?: number;
}

/** Some messages may be missing; what follows continues after `cursor`. */
interface Gap {
  gap: true;
  cursor: string;
}

/** A row of the registry, see `wire/techniques.py`. */
interface Technique {
  slug: string;
  title: string;
  year: number;
  idea: string;
  down: string;
  up: string;
  source: string;
  delivery: "timer" | "request" | "stream";
  codec: string | null;
  color: string;
  marker: string;
  two_way: boolean;
  own_port: boolean;
}

/** What passed on a technique's line; times are the server's milliseconds, `data` is base64. */
type TraceRow = [
  slug: string,
  seq: number,
  entered: number,
  left: number,
  connection: number,
  kind: "open" | "up" | "down" | "close" | "refused",
  length: number,
  data: string,
];

/** What a lane reports to the page around it. */
interface News {
  ready?: boolean;
  state?: string;
  detail?: string;
  messages?: Message[];
  gap?: boolean;
  /** The number of an order to send that is done, and what went wrong with it. */
  sent?: number;
  failed?: string;
  limits?: { sources: string[]; sockets: string[]; protocol: string };
}

interface Window {
  /** A page that never ends calls its parent so, once for each message. */
  receive(message: Message | Gap): void;
}
