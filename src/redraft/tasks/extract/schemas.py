"""What a record holds and the sentences that tell of it, in English.

``{age}`` is a value as a text writes it, ``{paid?has been paid|has not been paid yet}`` one of two wordings of a claim.
Every field has a sentence in which it stands alone or beside the first field, so any choice of fields can be told; no
sentence begins with a value that isn't written with a capital anyway.
"""

from dataclasses import dataclass

__all__ = ["ENGLISH_SCHEMAS", "FieldSpec", "Schema"]


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A field of a record."""

    key: str
    """Its name in the JSON, unless the keys are English names of a Chinese record."""
    kind: str
    """What kind of value it has, see ``values``; whole numbers as ``int:low:high``."""
    labels: tuple[str, ...]
    """What a form calls it."""
    english_key: str = ""
    """Its English name, where the record is Chinese."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A kind of record."""

    name: str
    """Which."""
    fields: tuple[FieldSpec, ...]
    """The first one is what the text is about and is always told."""
    sentences: tuple[str, ...]
    """What can be said of it."""


ENGLISH_SCHEMAS: tuple[Schema, ...] = (
    Schema(
        "person",
        (
            FieldSpec("name", "person", ("Name", "Full name")),
            FieldSpec("age", "int:18:90", ("Age", "Age in years")),
            FieldSpec("city", "city", ("City", "Lives in", "Home town")),
            FieldSpec("job", "job", ("Job", "Profession", "Occupation")),
            FieldSpec("email", "email", ("Email", "E-mail", "Mail")),
            FieldSpec("married", "bool", ("Married",)),
        ),
        (
            "This is about {name}.",
            "{name} is {age} years old.",
            "{name}, {age}, lives in {city}.",
            "{name} lives in {city}.",
            "{name} from {city} works as a {job}.",
            "{name} is a {job}.",
            "You can reach {name} at {email}.",
            "Write to {email}, that is the address of {name}.",
            "{name} is {married?married|not married}.",
            "{name} turned {age} last week.",
            "The {job} {name} lives in {city}.",
        ),
    ),
    Schema(
        "order",
        (
            FieldSpec("item", "item", ("Item", "Product", "Article")),
            FieldSpec("quantity", "int:2:60", ("Quantity", "How many", "Pieces")),
            FieldSpec("price", "price", ("Price", "Price in dollars")),
            FieldSpec("customer", "person", ("Customer", "Ordered by")),
            FieldSpec("date", "date", ("Date", "Order date")),
            FieldSpec("paid", "bool", ("Paid",)),
        ),
        (
            "An order for a {item} came in.",
            "{customer} ordered the {item}.",
            "{customer} wants {quantity} pieces of the {item}.",
            "We need {quantity} pieces of the {item}.",
            "The {item} costs {price}.",
            "The {item} was ordered on {date}.",
            "The order of {date} is for the {item}.",
            "The {item} {paid?has been paid|has not been paid yet}.",
            "On {date} {customer} bought the {item} for {price}.",
        ),
    ),
    Schema(
        "meeting",
        (
            FieldSpec("topic", "topic", ("Topic", "Subject", "About")),
            FieldSpec("date", "date", ("Date", "On")),
            FieldSpec("time", "time", ("Time", "Starts at", "Begin")),
            FieldSpec("place", "room", ("Place", "Room", "Where")),
            FieldSpec("guests", "names", ("Guests", "Invited", "Participants")),
            FieldSpec("online", "bool", ("Online",)),
        ),
        (
            "There is a meeting about the {topic}.",
            "The meeting about the {topic} is on {date}.",
            "On {date} at {time} we talk about the {topic}.",
            "The {topic} meeting starts at {time}.",
            "We discuss the {topic} in the {place}.",
            "The meeting about the {topic} takes place in the {place} at {time}.",
            "{guests} are invited to the {topic} meeting.",
            "{guests} will talk about the {topic}.",
            "The {topic} meeting is {online?online|not online}.",
        ),
    ),
    Schema(
        "book",
        (
            FieldSpec("title", "title", ("Title", "Book")),
            FieldSpec("author", "person", ("Author", "Written by")),
            FieldSpec("year", "int:1900:2025", ("Year", "Published")),
            FieldSpec("pages", "int:80:900", ("Pages", "Number of pages")),
            FieldSpec("price", "price", ("Price", "Price in dollars")),
            FieldSpec("available", "bool", ("Available",)),
        ),
        (
            'The book is called "{title}".',
            '"{title}" was written by {author}.',
            '{author} wrote "{title}" in {year}.',
            '"{title}" came out in {year}.',
            '"{title}" has {pages} pages.',
            'The {pages} pages of "{title}" cost {price}.',
            '"{title}" costs {price}.',
            '"{title}" is {available?available|not available} at the moment.',
        ),
    ),
    Schema(
        "trip",
        (
            FieldSpec("to", "city", ("To", "Destination", "Arrival")),
            FieldSpec("from", "city", ("From", "Departure", "Start")),
            FieldSpec("date", "date", ("Date", "Day of travel")),
            FieldSpec("departure", "time", ("Departure time", "Leaves at")),
            FieldSpec("seats", "int:2:12", ("Seats", "Number of seats")),
            FieldSpec("price", "price", ("Price", "Fare in dollars")),
        ),
        (
            "The train goes to {to}.",
            "The train from {from} to {to} leaves at {departure}.",
            "The train to {to} leaves at {departure}.",
            "We travel from {from} to {to}.",
            "The trip to {to} is on {date}.",
            "On {date} the bus goes from {from} to {to}.",
            "There are {seats} seats for the trip to {to}.",
            "A ticket to {to} costs {price}.",
            "We booked {seats} seats to {to} for {price}.",
        ),
    ),
    Schema(
        "animal",
        (
            FieldSpec("name", "first", ("Name", "Called")),
            FieldSpec("species", "animal", ("Species", "Animal", "Kind")),
            FieldSpec("age", "int:2:18", ("Age", "Age in years")),
            FieldSpec("weight", "weight", ("Weight", "Weight in kg")),
            FieldSpec("colour", "colour", ("Colour",)),
            FieldSpec("vaccinated", "bool", ("Vaccinated",)),
        ),
        (
            "{name} came to us last week.",
            "{name} is a {species}.",
            "{name} is a {colour} {species}.",
            "{name} is {age} years old.",
            "The {species} {name} is {age} years old.",
            "{name} weighs {weight}.",
            "{name}, a {species}, weighs {weight}.",
            "{name} is {colour}.",
            "{name} {vaccinated?has been vaccinated|has not been vaccinated}.",
        ),
    ),
    Schema(
        "room",
        (
            FieldSpec("hotel", "hotel", ("Hotel", "House")),
            FieldSpec("guest", "person", ("Guest", "Booked by")),
            FieldSpec("nights", "int:2:20", ("Nights", "Number of nights")),
            FieldSpec("arrival", "date", ("Arrival", "Check-in")),
            FieldSpec("price", "price", ("Price", "Price in dollars")),
            FieldSpec("breakfast", "bool", ("Breakfast",)),
        ),
        (
            "The room is at the {hotel}.",
            "{guest} booked a room at the {hotel}.",
            "{guest} stays {nights} nights at the {hotel}.",
            "The stay at the {hotel} is {nights} nights.",
            "The room at the {hotel} is booked from {arrival}.",
            "A night at the {hotel} costs {price}.",
            "{guest} arrives at the {hotel} on {arrival}.",
            "The price at the {hotel} is {breakfast?with|without} breakfast.",
        ),
    ),
    Schema(
        "recipe",
        (
            FieldSpec("dish", "dish", ("Dish", "Recipe", "Name")),
            FieldSpec("minutes", "int:5:120", ("Minutes", "Time in minutes")),
            FieldSpec("servings", "int:2:12", ("Servings", "Serves")),
            FieldSpec("ingredients", "foods", ("Ingredients", "You need")),
            FieldSpec("vegetarian", "bool", ("Vegetarian",)),
        ),
        (
            "Today we make the {dish}.",
            "The {dish} takes {minutes} minutes.",
            "The {dish} is ready in {minutes} minutes and serves {servings}.",
            "The {dish} serves {servings}.",
            "For the {dish} you need {ingredients}.",
            "The {dish} is made of {ingredients}.",
            "The {dish} is {vegetarian?vegetarian|not vegetarian}.",
        ),
    ),
    Schema(
        "product",
        (
            FieldSpec("product", "item", ("Product", "Article", "Name")),
            FieldSpec("colour", "colour", ("Colour",)),
            FieldSpec("weight", "weight", ("Weight", "Weight in kg")),
            FieldSpec("price", "price", ("Price", "Price in dollars")),
            FieldSpec("stock", "int:2:500", ("Stock", "In stock", "Left")),
            FieldSpec("maker", "company", ("Maker", "Made by", "Company")),
        ),
        (
            "We sell a {product}.",
            "The {product} is {colour}.",
            "The {colour} {product} costs {price}.",
            "The {product} weighs {weight}.",
            "The {product} costs {price}.",
            "We have {stock} pieces of the {product} left.",
            "{maker} makes the {product}.",
            "The {product} by {maker} weighs {weight}.",
        ),
    ),
    Schema(
        "match",
        (
            FieldSpec("home", "city", ("Home", "Home team")),
            FieldSpec("away", "city", ("Away", "Guests", "Away team")),
            FieldSpec("home_goals", "int:0:9", ("Home goals", "Goals of the home team")),
            FieldSpec("away_goals", "int:0:9", ("Away goals", "Goals of the guests")),
            FieldSpec("date", "date", ("Date", "Played on")),
            FieldSpec("spectators", "int:200:90000", ("Spectators", "Visitors")),
        ),
        (
            "{home} played at home.",
            "{home} played at home against {away}.",
            "{home} scored {home_goals}, the guests from {away} {away_goals}.",
            "{home} scored {home_goals} at home.",
            "The guests scored {away_goals} in {home}.",
            "The match in {home} was on {date}.",
            "On {date} {home} met {away} at home.",
            "{spectators} people watched the match in {home}.",
        ),
    ),
)
"""All of them; every field but the first can also be missing."""
