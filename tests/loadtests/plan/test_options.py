"""A setting is one field: whoever asks for it, checks it or records it reads that field."""

import json
import subprocess
import sys
from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import fields, replace
from pathlib import Path

import pytest

from loadtests.plan.options import (
    COMPARED,
    KNOWN,
    SCENARIOS,
    USUAL,
    Settings,
    add_options,
    complaint,
    load_settings,
    options_help,
    read_settings,
    variant,
    wrong_address,
)
from loadtests.trials.compare import make_plan, parse_arguments
from tests.loadtests.brood import Brood
from tests.loadtests.house import copied_with_one_more_field

UNUSUAL = Settings(
    rate=7.123456789,
    arrivals="poisson",
    tokens=7,
    size=17,
    warm_up=0.5,
    seconds=3.0,
    poll_interval=0.2,
    hold=3.0,
    keep_alive=False,
    cursor=False,
    headers="heavy",
    jitter=False,
    seed=-9,
    clock=False,
    naive=True,
    scenario="stall",
    drain=2.0,
    channel="other",
    rate_shape="spike",
    metrics_port=9646,
    plugin_port=81,
    publish_to="http://127.0.0.1:80",
    result="a file",
    server="a file, too",
)


def locust_reads(*words: str) -> Settings:
    parser = ArgumentParser()
    add_options(parser)
    return read_settings(parser.parse_args(words))


def test_settings_reach_locust_as_they_were() -> None:
    assert all(getattr(UNUSUAL, item.name) != item.default for item in fields(Settings))
    assert locust_reads("--settings", UNUSUAL.dump()) == UNUSUAL
    assert locust_reads() == Settings()


def test_each_setting_has_an_option_of_its_own() -> None:
    words = []
    for name, item in KNOWN.items():
        value = getattr(UNUSUAL, name)
        words += [item.flag] if isinstance(value, bool) else [item.flag, str(value)]
    assert locust_reads(*words) == UNUSUAL


def test_options_after_the_json_win() -> None:
    given = ("--settings", '{"rate": 20, "keep_alive": false}')
    assert locust_reads(*given, "--rate", "5") == Settings(rate=5.0, keep_alive=False)
    assert locust_reads("--rate", "5", *given) == Settings(rate=20.0, keep_alive=False)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "no JSON"),
        ("[1]", "one JSON object"),
        ('{"rat": 1}', "no setting rat; there are channel, "),
        ('{"size": 1, "rate": 0}', "rate: '0' is not a finite number greater than 0"),
        ('{"size": 1.5}', "size: '1.5' is not a whole number"),
        ('{"headers": "none"}', "headers: 'none' is not one of lean, "),
        ('{"jitter": "perhaps"}', "jitter: 'perhaps' is not true or false"),
    ],
)
def test_json_that_cannot_be_taken_is_refused_in_words(text: str, told: str) -> None:
    with pytest.raises(ArgumentTypeError, match=told):
        load_settings(text)


def test_a_form_is_judged_by_the_names_of_the_settings() -> None:
    right = {"rate": "20", "scenario": "feed", "keep_alive": "true", "host": "", "seed": "-1"}
    assert complaint(right) == ""
    assert complaint({"poll_interval": ""}).startswith("Poll interval: ")
    assert "greater than 0" in complaint({"rate": "0"})
    assert "one of feed, chat" in complaint({"scenario": "war"})
    assert "whole number" in complaint({"seed": "soon"})


def test_a_form_with_a_load_that_would_not_be_there_is_refused() -> None:
    usual = {name: str(item.default) for name, item in KNOWN.items() if item.on_page}
    for scenario in SCENARIOS:
        assert complaint(usual | {"scenario": scenario}) == ""
    said = complaint(usual | {"scenario": "echo", "rate_shape": "spike"})
    assert said.startswith("Rate shape: the scenario echo does not heed it; leave it at steady")


@pytest.mark.slow
def test_what_a_technique_does_not_heed_is_what_its_users_do_not_tell_their_client(
    brood: Brood,
) -> None:
    """Of settings that not all heed; asked in a process of its own, as users come with Locust."""
    brood.apart("""
from importlib import import_module
from dataclasses import replace
from loadtests.plan.options import Settings, unheeded
from wire.techniques import TECHNIQUES
usual = Settings(scenario="storm")
for technique in TECHNIQUES:
    slug = technique.slug
    user = getattr(import_module("loadtests." + slug), technique.class_stem + "User")
    for name, value in dict(
        poll_interval=9.0, hold=9.0, cursor=False, keep_alive=False, plugin_port=9, jitter=False
    ).items():
        told = replace(usual, **{name: value})
        changes = user.options(told) != user.options(usual)
        assert changes == (unheeded(told, [slug], usual) == []), (slug, name)
""")


def test_no_label_tells_of_an_interval_where_nobody_asks_on_a_timer() -> None:
    often = replace(USUAL, poll_interval=0.2, hold=3.0)
    assert variant(often, ["sse", "web_socket"]) == ""
    assert variant(often, ["sse", "polling"]) == "T=0.2 s"
    assert variant(often, ["long_polling"]) == "hold 3 s"


def test_every_default_is_accepted() -> None:
    for item in (*KNOWN.values(), *COMPARED):
        assert item.read(item.default) == item.default


def test_what_is_not_usual_is_named() -> None:
    assert variant(USUAL) == ""
    found = variant(replace(UNUSUAL, scenario="storm", arrivals="constant"))
    assert found == (
        "T=0.2 s, hold 3 s, constant arrivals, spike, heavy headers, no keep-alive, no jitter, "
        "foreign a file_ too"
    )


def test_compare_measures_the_usual_unless_told() -> None:
    plan = make_plan(parse_arguments(["--seed", "1"]))
    assert plan.settings == replace(USUAL, drain=6.0)
    assert plan.variant == ""
    told = make_plan(
        parse_arguments(["--no-keep-alive", "--rate", "1", "2", "--scenario", "stall"])
    )
    assert told.settings == replace(
        USUAL, keep_alive=False, scenario="stall", naive=True, drain=6.0
    )
    assert {level.rate for level in told.levels} == {1.0, 2.0}
    assert told.variant == "no keep-alive"


def test_the_help_shows_our_options_without_locusts() -> None:
    shown = options_help()
    assert all(item.flag in shown for item in KNOWN.values())
    assert "--headless" not in shown


@pytest.fixture(scope="module")
def house_with_one_more_field(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied_with_one_more_field(tmp_path_factory.mktemp("house"))


def run_in(house: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, *words],
        cwd=house,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


ON_LOCUSTS_PAGE = """
import json
from locust.argument_parser import get_parser, ui_extra_args_dict
from locust import events
from loadtests.plan import options
events.init_command_line_parser.add_listener(options.add_options)
shown = ui_extra_args_dict(["--settings", '{"rate": 7}'])
print(json.dumps([shown, options.complaint({"courtesy": "-1"}), get_parser().format_help()]))
"""


@pytest.mark.slow
def test_one_field_is_an_option_of_both_commands_and_an_entry_of_the_page(
    house_with_one_more_field: Path,
) -> None:
    house = house_with_one_more_field
    assert "--courtesy COURTESY   bows (default: 3)" in run_in(house, "-m", "loadtests", "--help")
    assert "--courtesy COURTESY   bows (default: 3)" in run_in(house, "-m", "loadtests", "options")
    shown, told, whole_help = json.loads(run_in(house, "-c", ON_LOCUSTS_PAGE))
    assert shown["courtesy"]["default_value"] == 3
    assert shown["courtesy"]["help_text"] == "bows (default: 3)"
    assert told == "Courtesy: '-1' is not a finite number of at least 0."
    assert "--courtesy COURTESY" in whole_help.partition("\nDuplex:\n")[2]
    on_page = {item.name for item in KNOWN.values() if item.on_page}
    assert shown.keys() == on_page | {"courtesy"}
    assert shown["rate"]["default_value"] == 7


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:8000", "http://[::1]:8000/prefix"])
def test_an_address_that_can_be_measured_is_taken(url: str) -> None:
    assert wrong_address(url) == ""
    assert complaint({"host": url, "publish_to": url}) == ""


@pytest.mark.parametrize("url", ["wss:a:1", "127.0.0.1:8000", "localhost", "http://", "ftp://a"])
def test_any_other_address_is_told_with_the_form_that_is_accepted(url: str) -> None:
    assert "accepted is http://host:port" in wrong_address(url)
    assert complaint({"host": url}).startswith("Host: ")
    assert complaint({"publish_to": url}).startswith("Publish to: ")
