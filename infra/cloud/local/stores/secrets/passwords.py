"""Random passwords. https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html"""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .model import invalid_parameter

if TYPE_CHECKING:
    from random import Random


def generate(wanted: Mapping[str, Any], rng: Random) -> str:
    """A password: 32 characters of all kinds, and one of each kind at least, unless it says otherwise."""
    excluded = wanted.get("ExcludeCharacters", "")
    kinds = [
        "".join(letter for letter in letters if letter not in excluded)
        for name, letters in (
            ("ExcludeLowercase", string.ascii_lowercase),
            ("ExcludeUppercase", string.ascii_uppercase),
            ("ExcludeNumbers", string.digits),
            ("ExcludePunctuation", string.punctuation),
        )
        if not wanted.get(name)
    ]
    if wanted.get("IncludeSpace") and " " not in excluded:
        kinds.append(" ")
    kinds = [letters for letters in kinds if letters]
    length = wanted.get("PasswordLength", 32)
    if not kinds or not 1 <= length <= 4096:
        raise invalid_parameter("No password can be generated from these settings.")
    every = wanted.get("RequireEachIncludedType", True)
    if every and length < len(kinds):
        raise invalid_parameter("Password length is too short based on the required types.")
    chosen = [rng.choice("".join(kinds)) for _ in range(length)]
    if every:
        for place, letters in zip(rng.sample(range(length), len(kinds)), kinds, strict=True):
            chosen[place] = rng.choice(letters)
    return "".join(chosen)
