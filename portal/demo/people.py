"""The members of the demo: the same people at every seeding, told as a merchant's system would."""

import unicodedata
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from portal.demo.places import PLACES, Place

PRESS = (12, 57, 133, 208, 301)
_DAY = timedelta(days=1)
# People who show what happens to data that cannot be used, by their place in the list.
ODD_ONES: dict[int, dict[str, object]] = {
    40: {"first_name": "Marta", "last_name": "Kowalska", "email": "marta.kowalska@example"},
    41: {"first_name": "Joe", "last_name": "Tapper", "email": "joe.tapper(at)example.com", "phone": None},
    90: {"first_name": "Chidi", "last_name": "Okafor", "email": "family.okafor@example.com"},
    91: {"first_name": "Ngozi", "last_name": "Okafor", "email": "family.okafor@example.com"},
    150: {"email": None},
}


@dataclass(frozen=True)
class Shop:
    """Whose members they are: how their ids begin, where they buy, and who among them is odd."""

    letter: str
    count: int
    host: str
    stores: tuple[str, ...]
    odd_ones: dict[int, dict[str, object]] = field(default_factory=dict)
    press: tuple[int, ...] = ()


COFFEE = Shop(
    letter="C",
    count=400,
    host="fernhill.example",
    stores=("Gloucester Road", "Harbourside", "Stokes Croft", "Bath Abbey", "Online"),
    odd_ones=ODD_ONES,
    press=PRESS,
)
BOOKS = Shop(letter="B", count=200, host="birchbooks.example", stores=("Park Street", "Clifton", "Online"))


def members(shop: Shop, now: datetime, random: Random) -> list[dict[str, object]]:
    """Members as the ingestion API takes them, with ids C-1001 and on."""
    numbers = dict.fromkeys((place.country for place in PLACES), 0)
    addresses: set[str] = set()
    found = []
    for index in range(shop.count):
        place = random.choices(PLACES, [place.share for place in PLACES])[0]
        member = _member(shop, index, place, now, random, addresses)
        if random.random() < 0.8:
            member["phone"] = place.phone(numbers[place.country])
            numbers[place.country] += 1
        found.append(
            {
                key: value
                for key, value in (member | shop.odd_ones.get(index, {})).items()
                if value is not None
            }
        )
    return found


def _member(
    shop: Shop, index: int, place: Place, now: datetime, random: Random, addresses: set[str]
) -> dict[str, object]:
    first, last = random.choice(place.first_names), random.choice(place.last_names)
    town, postcode = random.choice(place.towns)
    enrolled_at = now - random.randint(3, 900) * _DAY - timedelta(minutes=random.randint(0, 600))
    birthday = (datetime(1996, 1, 1) - random.randint(-3000, 12_000) * _DAY).date().isoformat()
    member: dict[str, object] = {
        "external_id": f"{shop.letter}-{1001 + index}",
        "email": _address(first, last, addresses),
        "first_name": first,
        "last_name": last,
        "locale": place.locale,
        "timezone": place.timezone,
        "country": place.country,
        "city": town,
        "zip": postcode,
        "enrolled_at": enrolled_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "referral_code": f"{_plain(first).upper()}{1001 + index}",
        "referral_url": f"https://{shop.host}/r/{_plain(first)}{1001 + index}",
        "attributes": {
            "favourite_store": random.choice(shop.stores),
            "has_subscription": random.random() < 0.3,
            "visits": int(random.expovariate(1 / 14)),
        },
    }
    if random.random() < 0.75:
        member["birthday"] = birthday if random.random() < 0.8 else birthday[5:]
    if index in shop.press:
        member["tags"] = ["press"]
    if consent := _consent(str(member["enrolled_at"]), random):
        member["consent"] = consent
    return member


def _consent(given_at: str, random: Random) -> dict[str, object]:
    """Most said yes to e-mail when they joined, some took it back, a few allowed SMS."""
    found: dict[str, object] = {}
    if random.random() < 0.72:
        found["email"] = {"status": "granted", "source": "Till sign-up", "given_at": given_at}
    elif random.random() < 0.3:
        found["email"] = {"status": "revoked", "source": "Unsubscribed"}
    if random.random() < 0.18:
        found["sms"] = {"status": "granted", "source": "Till sign-up", "given_at": given_at}
    return found


def _address(first: str, last: str, addresses: set[str]) -> str:
    """Under example.com, which belongs to nobody; no address twice."""
    plain, number = f"{_plain(first)}.{_plain(last)}", 2
    address = f"{plain}@example.com"
    while address in addresses:
        address, number = f"{plain}{number}@example.com", number + 1
    addresses.add(address)
    return address


def _plain(name: str) -> str:
    bare = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return "".join(letter for letter in bare.lower() if letter.isalpha())
