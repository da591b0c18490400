"""Bugs in how personal data is kept and forgotten."""

from typing import Final

from tests.mutants.mutant import Mutant, caught, edit, simulated

FORGETTING: Final = (
    Mutant(
        "key-kept",
        "Erasing tells everybody, and leaves the key where it is",
        edit("services/intake/erase.py", "Erase(closed_at), rows=((DELETE_KEY, (request_id,)),))", "Erase(closed_at))"),
        caught("tests/intake/test_pages.py::test_erased_means_unreadable", servers=True, says="test_erased_means_unreadable"),
    ),
    Mutant(
        "text-comes-back",
        "What others say of a request after its erasure brings sealed texts back to its page",
        edit(
            "services/intake/domain/step.py",
            "    return _without_texts(request) if request.erased_at else request\n",
            "    return request\n",
        ),
        caught(
            "tests/intake/test_step.py::test_any_interleaving_of_topics_ends_in_the_same_state",
            says="test_any_interleaving_of_topics_ends_in_the_same_state",
        ),
    ),
    Mutant(
        "silent-after-erasure",
        "A letter that would arise after an erasure is neither sent nor said to be given up: it is missing for ever",
        edit(
            "services/notifier/domain/step.py",
            "    if not (known.erased or _erases(event)):\n        return {}\n",
            "    if not _erases(event):\n        return {}\n",
        ),
        caught("tests/notifier/test_step.py", says="test_an_erasure_gives_up_what_was_to_be_sent_and_keeps_nothing_sealed"),
        also=(simulated("9 no mail: "),),
    ),
    Mutant(
        "texts-in-the-log",
        "The reason of a parked record repeats the text of the exception, and with it what a usager wrote",
        edit(
            "shared/delivery/core.py",
            '    return f"{type(error).__name__} at {place}" if place else type(error).__name__\n',
            '    return f"{type(error).__name__} at {place}: {error}"\n',
        ),
        caught("tests/delivery/test_core.py", says="test_the_reason_of_a_poison_names_the_place_and_never_the_text"),
    ),
    Mutant(
        "adapters-parked-in-clear",
        "What an adapter sent is parked as it came, with names and addresses",
        edit(
            "shared/delivery/parked_rows.py",
            "        if raw.value is None or raw.topic not in _PERSONAL_IN_CLEAR:\n",
            "        if raw.value is None or raw.topic in _PERSONAL_IN_CLEAR:\n",
        ),
        caught(
            "tests/delivery/test_parking.py::test_a_parked_value_in_clear_is_kept_encrypted_and_opens_for_who_has_the_keys",
            servers=True,
            says="test_a_parked_value_in_clear_is_kept_encrypted_and_opens_for_who_has_the_keys",
        ),
    ),
    Mutant(
        "any-field-logged",
        "The log lets every field through, also those that may hold a name",
        edit("shared/log.py", "    dropped = fields.keys() - FIELDS\n", "    dropped = fields.keys() - fields.keys()\n"),
        caught("tests/log/test_fields.py", says="test_a_field_that_is_not_on_the_list_never_gets_into_the_log"),
    ),
    Mutant(
        "sealed-for-any-request",
        "A sealed text opens under another request: it can be moved there",
        edit(
            "shared/vault/seal.py",
            "AESGCM(self.secret).decrypt(raw[:12], raw[12:], request_id.bytes)",
            "AESGCM(self.secret).decrypt(raw[:12], raw[12:], raw[:16])",
        ),
        caught(
            "tests/intake/test_submission.py::test_the_content_opens_under_the_key_that_is_stored_along",
            says="test_the_content_opens_under_the_key_that_is_stored_along",
        ),
    ),
)
