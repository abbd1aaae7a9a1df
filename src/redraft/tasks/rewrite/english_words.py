"""English words that sentences are made of, written for this project; plain lists, one word an entry."""

from redraft.tasks.rewrite.pieces import listed

__all__ = ["ADJECTIVES", "CITIES", "DAYS", "FOODS", "MONTHS", "NAMES", "NOUNS", "PLACES", "ROLES", "VERBS", "plural"]

NOUNS: tuple[str, ...] = listed(
    """
    lamp chair table window door bottle basket bicycle blanket camera candle carpet clock coat cup curtain
    drawer engine envelope fence flag guitar hammer helmet kettle key ladder letter map mirror newspaper
    notebook oven package painting pencil piano picture pillow plate printer radio ring rope sofa spoon stamp
    statue suitcase telephone ticket towel toy umbrella vase wallet wheel book poem story report recipe list
    plan photo song question answer file contract invoice parcel garden bridge boat car truck tractor train tent
    umbrella orange apple onion egg island animal horse dog cat bird rabbit goat tree flower leaf stone shell
    box jar bag hat scarf shirt jacket shoe button needle brush bucket broom screen keyboard cable battery
    magnet microscope telescope poster magazine cushion shelf cabinet bench desk
    """
)
"""Things that can be bought, moved and described."""

ADJECTIVES: tuple[str, ...] = listed(
    """
    red blue green yellow brown black white grey old new small large heavy light long short narrow wide clean
    dirty cheap expensive broken empty full warm cold soft hard quiet loud bright dark round square strange
    simple wooden plastic golden silver orange ancient modern famous plain striped painted rusty shiny thick
    thin wet dry fresh lovely elegant ordinary enormous tiny
    """
)
"""Of things; none begins with a letter that misleads a or an."""

NAMES: tuple[str, ...] = listed(
    """
    Anna Ben Clara David Emma Felix Grace Henry Irene Jack Karen Leo Maria Nina Oscar Paula Quentin Rosa Simon
    Tara Victor Wendy Yusuf Zoe Ahmed Bruno Chen Diana Elena Frank Greta Hassan Ivan Julia Kofi Laura Marco
    Nadia Omar Peter Rita Samir Tomas Vera Walter Ximena Aisha Boris Carla Derek Esther Fatima
    """
)
"""First names, always with a capital."""

CITIES: tuple[str, ...] = listed(
    """
    Berlin Paris London Madrid Rome Vienna Prague Oslo Dublin Lisbon Athens Cairo Nairobi Lagos Delhi Tokyo
    Beijing Shanghai Seoul Sydney Toronto Boston Chicago Lima Bogota Havana Geneva Zurich Hamburg Milan
    """
)
"""Cities of one word."""

PLACES: tuple[str, ...] = listed(
    "in the garden|at the market|in the kitchen|near the river|at the station|behind the house|in the library|"
    "at the museum|on the balcony|in the cellar|beside the road|at the office|in the workshop|on the roof|"
    "in the park|at the harbour|in the classroom|under the bridge|in the village|at the airport|in the hotel|"
    "on the beach|in the forest|at the bakery|near the school|at home",
    "|",
)
"""Where something happens."""

ROLES: tuple[str, ...] = listed(
    """
    teacher doctor farmer baker painter driver pilot nurse lawyer engineer gardener writer singer student
    neighbour tailor sailor plumber waiter librarian journalist carpenter captain artist actor editor architect
    manager secretary mechanic
    """
)
"""People by what they do."""

FOODS: tuple[str, ...] = listed(
    "bread|soup|rice|cheese|honey|butter|coffee|tea|milk|salad|fruit|fish|pasta|chocolate|cake|juice", "|"
)
"""Without an article."""

DAYS: tuple[str, ...] = listed("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
"""Always with a capital."""

MONTHS: tuple[str, ...] = listed(
    "January February March April May June July August September October November December"
)
"""Always with a capital."""

_VERBS = """
    buy buys bought, sell sells sold, find finds found, lose loses lost, paint paints painted, clean cleans cleaned,
    bring brings brought, take takes took, carry carries carried, repair repairs repaired, draw draws drew, choose
    chooses chose, hide hides hid, keep keeps kept, make makes made, move moves moved, need needs needed, open opens
    opened, close closes closed, order orders ordered, prepare prepares prepared, see sees saw, send sends sent,
    show shows showed, steal steals stole, throw throws threw, touch touches touched, use uses used, want wants
    wanted, wash washes washed, watch watches watched, admire admires admired, borrow borrows borrowed, build builds
    built, describe describes described, forget forgets forgot, hold holds held, like likes liked, measure measures
    measured, remember remembers remembered
"""

VERBS: dict[str, tuple[str, str]] = {
    base: (third, past) for base, third, past in (row.split() for row in listed(_VERBS, ","))
}
"""Third person and past of verbs that take a thing; no two forms of one verb are alike."""

_PLURALS = {"leaf": "leaves", "shelf": "shelves", "story": "stories", "battery": "batteries"}


def plural(noun: str) -> str:
    """More than one of a noun of the list.

    >>> plural("brush"), plural("lamp"), plural("leaf")
    ('brushes', 'lamps', 'leaves')
    """
    if noun in _PLURALS:
        return _PLURALS[noun]
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")
