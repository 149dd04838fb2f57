// The script of a lecture of 90 minutes: where each step is in the page, how many minutes it takes, and
// what the room is asked. What to say, do, ask and expect stands in words/script_LANGUAGE.js.

const era = (name, minutes, question) => ({ name, at: `timeline?era=${name}`, minutes, question });
const race = (name, minutes, question) => ({ name, at: `race?preset=${name}`, minutes, question });
const view = (name, minutes, at = name) => ({ name, at, minutes });

export const STEPS = [
  view("join", 5, "room"),
  era("page_reload", 4),
  era("frame_reload", 2),
  era("polling", 3),
  race("minute", 5, "minute"),
  era("plugin_socket", 3),
  era("forever_frame", 4),
  era("long_polling", 5, "keep"),
  race("burst", 5),
  era("sse", 4, "push"),
  race("half", 6, "half"),
  view("limits", 4),
  era("web_socket", 4),
  view("wire", 5),
  race("picture", 4, "picture"),
  race("cut", 5, "cut"),
  era("fetch_stream", 3),
  race("answer", 3, "answer"),
  race("busy", 5, "busy"),
  race("apart", 3),
  race("together", 2),
  view("chat", 3),
  view("end", 3, "room"),
];

/** The words that name where a step is. */
export function titleOf({ at }) {
  const [name, query = ""] = at.split("?");
  const parameters = new URLSearchParams(query);
  if (parameters.has("preset")) return `preset.${parameters.get("preset")}`;
  if (parameters.has("era")) return `technique.${parameters.get("era")}`;
  return `nav.${name}`;
}
