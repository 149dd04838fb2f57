"""No regular expression of ours takes for ever, whatever text it is given.

Each that repeats something without bound stands below with a text that it is meant for. Every part
of that text is repeated where it stands, so that much matches before nothing does, and ten times
as much of it must take about ten times as long. A thread's own CPU time tells, so other work on
the machine does not. The browser's expressions mean the same to Python, which tries them the same
way.
"""

import ast
import re
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("wire", "servers", "clients", "loadtests", "results")
SIZES = (300, 3_000)  # characters, short and long: enough to see a square
MOST_TIMES = 40  # as long, where a square of the text takes 100
LONGEST_PART = 4
OTHER_PARTS = (" ", "0", "a", "A", '"', "=", "\n")

LITERAL = re.compile(r"[(,=] ?/(?![*/])((?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)/[a-z]*[.,);]")
CLASS = re.compile(r"\[\^?\]?(?:[^\]\\]|\\.)*\]|\\.", re.DOTALL)

HEAD = "GET /sse?after=x&viewer=abcdefgh HTTP/1.1\r\nDuplex-Key: abc\r\n"
EXAMPLES = {
    # wire
    r"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?": "1f \t; a=b",
    r"[!#$%&'*+.^_`|~0-9A-Za-z-]+": "X-Abc",
    r"dx (\d{1,18}) (\d{1,18}) ([^\s\"\\<]{1,100}) x*": "dx 1 2 abc xx",
    r"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: (.*))?": "HTTP/1.1 200 OK ",
    r"^(?P<who>\w+) ready(?: (?P<url>https?://\S+))?(?: plugin (?P<plugin>\S+:\d+))?"
    r"(?: -> (?P<to>\S+:\d+))?(?P<ports>(?: \d+)*)(?: trust (?P<trust>[^\r\n]+))?\r?\n":
        "\na ready http://a:1 plugin b:2 -> c:3 4 5 trust /a b\r\n",
    r"https?://(\[[^]]+\]|[^:/]+):(\d+)": "http://[::1]:80 https://a:1",
    r'([a-z_]+)(?:\s*=\s*"?([0-9]+)"?)?': 'server_max_window_bits = "15"',
    # servers
    r"([a-z][a-z0-9+.-]*)://([a-z0-9_][a-z0-9_.-]*|\[[0-9a-f:.]+\])(:[0-9]{1,5})?":
        "http://a-b.c:80 http://[::1]",
    r"([a-z0-9_][a-z0-9_.-]*|\[[0-9a-f:.]+\])(:[0-9]{1,5})?": "a-b.c:80 [::1]",
    r"\r\n%s:[ \t]*([!-~]*)": HEAD.replace("Duplex-Key", "%s"),
    r"(?:(?:words|hall|race|script)/)?[a-z0-9_]+(\.js|\.css)": "words/en_1.js",
    r"([0-9a-f]{16})/([a-z0-9_]+\.(?:js|css))": "0123456789abcdef/sse.js",
    r"(?:GET|POST) [^ ]*[?&]viewer=([a-z0-9]{8,32})": HEAD,
    r"^id: [0-9a-z]+-([0-9]+)$": "\nid: abc-12\n",
    # clients
    r"<(?:(?P<comment>!--)|[!?/]|(?P<name>[A-Za-z][^\s/>]*+))": "<!--<main <li",
    r"""(?:[^>=]++|=\s*+(?:"[^"]*+"|'[^']*+'|(?!["'])[^\s>]*+))*+>""": """ a="1" b='2' c= 3 = >""",
    r"(?P<name>[^\s/>=]++)\s*+"
    r"""(?:=\s*+(?:"(?P<a>[^"]*+)"|'(?P<b>[^']*+)'|(?P<c>[^\s>]*+)))?""": """a ="1" b='2' c= 3 =""",
    r"\s*+\[++([^\]]++)\]": " [[ a b ]]",
    r'\s*+([\w.\"-]++)\s*+=': ' a."b-c" =',
    r"[^:]+\.py:\w+": "a/b.py:C",
    r"{(\w+)}": "{name}",
    r"[A-Z]+": "POST",
    # loadtests
    r'"sent_ns":(\d+)': '"sent_ns":12',
    r'"sender":"publisher","sent_ns":(\d+)': '"sender":"publisher","sent_ns":12',
    r"(?i)^sec-websocket-accept: (\S+)\r$": "\r\nSec-WebSocket-Accept: ab=\r\n",
    r'"id":(\d+),"sender"': '"id":12,"sender"',
    r"Duplex-Cursor: (\w+)-(\d+)": "Duplex-Cursor: abc-12",
    r'"id": ?(\d+),': '"id": 12,',
    r'"sent_ns": ?(\d+),': '"sent_ns": 12,',
    r'"cursor": ?"([^"]+)"': '"cursor": "abc-12"',
    r"(?<!\d)\d+\.\d+(\.\d+)*": "nginx version: nginx/1.22.1",
    r"^-r (.+)$": "-r pins.txt",
    # results
    r"(\d\.\d\d)\d+": "1.2345",
    r' d="[^"]*"': ' d="M 1.2345 6" d=',
    r"\s*(?:(?P<technique>\w+)\s*:\s*)?(?:(?P<metric>[a-z_]+)\.)?(?P<figure>[a-z_]\w*(?:\.9)?)"
    r"\s*(?P<operator>>=|<=|>|<)\s*(?P<number>\d+(?:\.\d*)?|\.\d+)\s*+(?P<unit>[a-z%]*)\s*":
        " sse : connect.p99.9 >= 12.5 ms ",
    # in the browser
    r"transfer-encoding: *chunked": "transfer-encoding: chunked",
    r"\{(\w+)\}": "{name}",
    r"^source (\d+)$": "source 12",
    r"\s+": "a  b ",
    r"(\.\w+)?$": "a.b.png",
    r"^(GET|POST) (\S*)": HEAD,
    r"\r\nsec-websocket-key: *(\S+)": "\r\nsec-websocket-key: ab=\r\n",
    r"\r\nsec-websocket-accept: *(\S+)": "\r\nsec-websocket-accept: ab=\r\n",
    r'^\{"channel":"([^"]*)"': '{"channel":"a"',
    r"[\r\n&]channel=([^&\s]+)": "\r\n&channel=a&b",
    r"(?<!\d)\d+(?:\.\d+)+": "1.2.3",
    r"^([\w.-]+)==([^\s;\\]+)": "a==1 ;",
    r"[-_.]+": "-_.",
    r"dx \d+ (\d+) publisher ": "dx 1 2 publisher ",
    r'"cursor":"([^"]+)","gap":(?:true|false)\}$': '"cursor":"a","gap":true}',
    r"^(localhost|127\.[\d.]+|\[::1\])$": "127.0.0.1",
}  # fmt: skip


@cache
def expressions() -> dict[str, bool]:
    """Find what is given to functions of ``re``, and what stands between slashes.

    Also of each: whether it is sought all over a text, and not only tried where that begins.
    """
    found: dict[str, bool] = {}
    for path in (path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        if not re.search(r"^import re$", source, re.MULTILINE):
            continue
        tree = ast.parse(source)
        nodes = list(ast.walk(tree))
        names = {}
        for node in nodes:
            match node:
                case ast.Assign([target, *_], value) | ast.AnnAssign(target, _, value):
                    names[value] = target
        for node in nodes:
            match node:
                case ast.Call(ast.Attribute(ast.Name("re"), function), [given, *_]):
                    parts = [one for one in ast.walk(given) if isinstance(one, ast.Constant)]
                    text = parts[0].value if parts else ""  # else it is the caller's
                    name = ast.unparse(names[node]) if node in names else "?"
                    uses = re.findall(rf"\b{re.escape(name)}\.(\w+)\(", source)
                    uses += [function] if function != "compile" else []
                    text = text.decode() if isinstance(text, bytes) else str(text)
                    is_sought = not uses or not {"match", "fullmatch"}.issuperset(uses)
                    found[text] = found.get(text, False) or is_sought
    for path in (ROOT / "clients/browser").rglob("*.js"):
        literals = LITERAL.finditer(path.read_text(encoding="utf-8"))
        found |= {literal[1]: True for literal in literals}
    return found


def test_every_expression_that_repeats_without_bound_has_an_example() -> None:
    unbounded = {one for one in expressions() if re.search("[*+]|,}", CLASS.sub("", one))}
    assert unbounded == set(EXAMPLES)


def hostile(example: str) -> Iterator[tuple[str, str, str]]:
    """Cut the example into what comes first, what is repeated, and what spoils the end."""
    for at in range(len(example) + 1):
        ends = range(at + 1, min(at + LONGEST_PART, len(example)) + 1)
        for part in {*OTHER_PARTS, *(example[at:end] for end in ends)}:
            for spoiling in ("", "\0"):
                yield example[:at], part, spoiling


def growth(
    pattern: re.Pattern[str], is_sought: bool, first: str, part: str, spoiling: str
) -> float:
    """Return how many times as long a text takes that is ten times as long."""
    times = []
    for size in SIZES:
        text = first + part * (size // len(part)) + spoiling
        began = time.thread_time()
        if is_sought:
            for _ in pattern.finditer(text):
                pass
        else:
            pattern.match(text)
            pattern.fullmatch(text)
        times.append(time.thread_time() - began)
    return times[1] / times[0]


def longest_growth(expression: str, is_sought: bool, case: tuple[str, str, str]) -> float:
    """Return the least of some measurements: the machine may hesitate, but not each time."""
    pattern = re.compile(expression, re.MULTILINE)
    for _ in range(4):
        if (found := growth(pattern, is_sought, *case)) <= MOST_TIMES:
            break
    return found


@pytest.mark.attack("stop who reads it by text that takes for ever", "off")
@pytest.mark.parametrize(("expression", "part"), [("<[^>]*>", "<"), (r"\s+$", " "), ("a*b", "a")])
def test_an_expression_that_tries_again_from_everywhere_takes_for_ever(
    expression: str, part: str
) -> None:
    assert longest_growth(expression, True, ("", part, "\0")) > MOST_TIMES


@pytest.mark.attack("stop who reads it by text that takes for ever", "on")
@pytest.mark.parametrize("expression", EXAMPLES)
def test_an_expression_takes_no_longer_than_its_text_is_long(expression: str) -> None:
    example = EXAMPLES[expression]
    assert re.search(expression, example, re.MULTILINE)
    is_sought = expressions()[expression]
    for case in hostile(example):
        found = longest_growth(expression, is_sought, case)
        assert found <= MOST_TIMES, f"ten times as much takes {found:.0f} times as long: {case}"
