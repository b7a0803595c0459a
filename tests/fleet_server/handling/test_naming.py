"""A text in which a name is likely is marked for its reader, in the forms that Finnish gives a name; words are not."""

import pytest

from fleet_server.handling.naming import may_name


@pytest.mark.parametrize(
    "text",
    [
        "Kiitos Matille!",
        "hoitaja virtanen oli ihana",  # small letters, a name that is nothing else
        "Virtasen vastaanotolla odotin",
        "Lääkäri Rauskanen kuunteli",  # a rare one after a title
        "Osastonhoitajalle Kauriille kiitos",
        "Kiitos Sirkka-Liisalle",
        "Tapasin Mäen, joka auttoi",  # also a hill: with a capital, not at the beginning
        "KIITOS PEKALLE",
        "Doktor Lundell lyssnade",
        "Tack till Annas kollega",
        "Johanssonin luona",
        "Thanks to nurse Okafor",
        "Dr. Smith was late",
        "kiitos anssille ja sinikalle",  # less common, from the statistics
        "Kävin Rautakorven luona, kiitos Kauppilasen",  # by its shape
    ],
)
def test_a_likely_name_is_met(text: str) -> None:
    assert may_name(text)


@pytest.mark.parametrize(
    "text",
    [
        "Hoitaja oli ihana. Kiitos",
        "Lääkäri oli kiireinen, hoitaja ystävällinen",
        "LÄÄKÄRI EI KUUNNELLUT",
        "Anna meille aikaa",  # give us time
        "Sain ajan pian",  # soon, and Pia's
        "Odotin monta päivää, monia päiviä",
        "mäellä oli liukasta",
        "ainoa hyvä asia",
        "Jonnekin piti mennä, teon syy jäi epäselväksi, odotin hiljaa",  # Jonne, Teo, Hilja
        "Titta på mig",
        "Helsingissä ja Espoossa samoin",
        "Sköterskan var trevlig",
        "The nurse was kind",
        "Jonotin 45 min, huone 1204",
        "",
        "😀",
    ],
)
def test_words_are_no_names(text: str) -> None:
    assert not may_name(text)
