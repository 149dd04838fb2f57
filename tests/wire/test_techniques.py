import dataclasses
import importlib
import re

import pytest

from wire.techniques import BY_SLUG, SLUGS, TECHNIQUES, Technique, listing, newest_streams


def chosen(fact: str) -> list[str]:
    return [technique.slug for technique in TECHNIQUES if getattr(technique, fact)]


def test_all_in_the_order_in_which_the_web_found_them() -> None:
    assert SLUGS == (
        "page_reload",
        "frame_reload",
        "polling",
        "plugin_socket",
        "forever_frame",
        "long_polling",
        "sse",
        "web_socket",
        "fetch_stream",
    )
    years = [technique.year for technique in TECHNIQUES]
    assert years == sorted(years)


def test_a_slug_is_a_name_for_modules_paths_and_columns() -> None:
    for slug in SLUGS:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", slug)
        assert BY_SLUG[slug].slug == slug
    assert len(BY_SLUG) == len(SLUGS) == len(TECHNIQUES)


@pytest.mark.parametrize("technique", TECHNIQUES, ids=SLUGS)
def test_every_field_is_filled(technique: Technique) -> None:
    for field in dataclasses.fields(technique):
        value = getattr(technique, field.name)
        assert value or field.name in ("codec", "two_way", "own_port"), field.name


@pytest.mark.parametrize("technique", TECHNIQUES, ids=SLUGS)
def test_a_codec_is_a_module_of_wire(technique: Technique) -> None:
    if technique.codec is not None:
        importlib.import_module(f"wire.{technique.codec}")


def test_what_each_is_like() -> None:
    assert chosen("asks") == ["page_reload", "frame_reload", "polling"]
    assert chosen("held") == [slug for slug in SLUGS if slug not in chosen("asks")]
    assert chosen("streams") == [slug for slug in chosen("held") if slug != "long_polling"]
    assert chosen("reloads") == ["page_reload", "frame_reload"]
    assert chosen("two_way") == ["plugin_socket", "web_socket"]


def test_one_technique_at_most_has_a_port_of_its_own_as_commands_know_one_plugin_port() -> None:
    assert chosen("own_port") == ["plugin_socket"]


def test_the_newest_streams_speak_for_all() -> None:
    assert newest_streams() == ("fetch_stream", "web_socket")


def test_the_listing_has_a_line_for_each() -> None:
    lines = listing().splitlines()[1:]
    assert [line.split()[0] for line in lines] == list(SLUGS)
    assert all(one.title in line for one, line in zip(TECHNIQUES, lines, strict=True))
