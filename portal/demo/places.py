"""Where the demo's members live: names, towns, and numbers that regulators set aside for fiction."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """`phone` makes the n-th number of a range that is given to nobody; None after its last."""

    country: str
    locale: str
    timezone: str
    share: int  # of a hundred members
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    towns: tuple[tuple[str, str], ...]  # town and postcode
    phone: Callable[[int], str | None]


def _range(prefix: str, first: int, last: int, width: int) -> Callable[[int], str | None]:
    return lambda n: f"{prefix}{first + n:0{width}d}" if first + n <= last else None


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


PLACES = (
    Place(
        "GB", "en-GB", "Europe/London", 66,
        _words("Amelia Priya Oliver Zainab Harry Isla Tomasz Grace Kwame Poppy Callum Aisha Megan Rhys Freya Idris "
               "Hannah Leo Niamh Dev Ruth Alfie Bronwen Marcus Sunita Elliot Nia Joseph Carys Imogen Theo Yusuf"),
        _words("Okafor Hughes Patel Whitfield Kowalski Sharma Doyle Bennett Achebe Lindqvist Pryce Khan Murray Ellis "
               "Fairbairn Osei Rahman Tremaine Holloway Nwosu Garside Llewellyn Mistry Cartwright Abernathy Sood"),
        (("Bristol", "BS1 4DJ"), ("Bath", "BA1 1LZ"), ("London", "E8 4AA"), ("Cardiff", "CF10 1DD"),
         ("Stroud", "GL5 1AP"), ("Leeds", "LS1 4AP"), ("Edinburgh", "EH1 1BQ")),
        _range("+447700900", 0, 999, 3),
    ),
    Place(
        "US", "en-US", "America/New_York", 12,
        _words("Maya Ethan Sofia Jordan Caleb Imani Wyatt Lucia Naomi Derek Elena Marcus"),
        _words("Reyes Whitaker Nguyen Goldberg Hayes Moreno Callahan Park Freeman Ortiz Sinclair Webb"),
        (("Brooklyn", "11201"), ("Portland", "04101"), ("Boston", "02108")),
        _range("+1212555", 100, 199, 4),
    ),
    Place(
        "DE", "de-DE", "Europe/Berlin", 9,
        _words("Lena Jonas Mila Emre Clara Felix Greta Anton Yara Moritz"),
        _words("Schreiber Vogel Yilmaz Brandt Keller Hoffmann Lorenz Winter Arslan Busch"),
        (("Berlin", "10115"), ("Leipzig", "04109"), ("Köln", "50667")),
        _range("+4917139200", 0, 99, 2),
    ),
    Place(
        "FR", "fr-FR", "Europe/Paris", 7,
        _words("Camille Hugo Inès Louis Manon Théo Léa Karim Chloé Rémi"),
        _words("Moreau Lefèvre Garnier Benali Rousseau Fabre Chevalier Dumas Marchand Girard"),
        (("Lyon", "69001"), ("Nantes", "44000"), ("Lille", "59000")),
        _range("+33639980", 0, 999, 3),
    ),
    Place(
        "SE", "sv-SE", "Europe/Stockholm", 6,
        _words("Astrid Elias Saga Nils Ebba Oskar Linnea Hassan"),
        _words("Lindgren Bergström Nyström Ekdahl Sandberg Hassan Forsberg Åkesson"),
        (("Malmö", "211 20"), ("Göteborg", "411 03")),
        _range("+46701740", 605, 699, 3),
    ),
)  # fmt: skip
