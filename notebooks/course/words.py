"""What the course's library says, in the language of the reader.

The English sentence is the key: ``say("you said {guess}", guess=3)`` is looked up in
``notebooks/course/LANGUAGE/words.toml`` and then filled in; exercises' hints, choices and units
are looked up alike. What has no translation is said in English.

A notebook's copy stands in a folder that is named by its language (``es/04_long_polling.ipynb``),
and that folder is where its kernel runs; the environment variable ``DUPLEX_LANGUAGE`` overrides it.
"""

import os
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LANGUAGES = {"en": "English", "es": "Español", "ro": "Română"}


@cache
def language() -> str:
    """Return the reader's language, a key of ``LANGUAGES``; English where nobody said."""
    for asked in (os.environ.get("DUPLEX_LANGUAGE", ""), Path.cwd().name):
        if asked in LANGUAGES:
            return asked
    return "en"


@cache
def catalogue(code: str) -> dict[str, str]:
    """Return all sentences of one language by their English; English has none of its own."""
    if code == "en":
        return {}
    return tomllib.loads((HERE / code / "words.toml").read_text(encoding="utf-8"))


def say(english: str, *, in_language: str = "", **values: Any) -> str:
    """Return a sentence with ``values`` in place of its ``{names}``, in the reader's language.

    ``in_language`` is another's.
    """
    said = catalogue(in_language or language()).get(english, english)
    return said.format(**values) if values else said
