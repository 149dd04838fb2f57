import dataclasses
import re

import pytest

from wire.techniques import BY_SLUG, SLUGS, TECHNIQUES, Technique


def test_the_eight_in_the_order_in_which_the_web_found_them():
    assert SLUGS == (
        "page_reload",
        "frame_reload",
        "polling",
        "plugin_socket",
        "forever_frame",
        "long_polling",
        "sse",
        "web_socket",
    )
    years = [technique.year for technique in TECHNIQUES]
    assert years == sorted(years)


def test_a_slug_is_a_name_for_modules_paths_and_columns():
    for slug in SLUGS:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", slug)
        assert BY_SLUG[slug].slug == slug
    assert len(BY_SLUG) == len(SLUGS) == len(TECHNIQUES)


@pytest.mark.parametrize("technique", TECHNIQUES, ids=SLUGS)
def test_every_field_is_filled(technique: Technique):
    for field in dataclasses.fields(technique):
        value = getattr(technique, field.name)
        assert value or field.name in ("codec", "held"), field.name


def test_reloading_and_polling_hold_nothing_and_all_others_do():
    assert [t.slug for t in TECHNIQUES if not t.held] == ["page_reload", "frame_reload", "polling"]
