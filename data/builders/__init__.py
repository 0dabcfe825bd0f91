"""TFDS builders of the sets the project makes itself, one module a set.

Each module has the set's name and offers `Builder`. A change in what is generated is a new
version here and a release note there.
"""

VERSIONS: dict[str, str] = {
    "placed_digits": "1.0.0",
    "mnist1d": "1.0.0",
    "red_green": "1.0.0",
    "red_green_published": "1.0.0",
    "co2": "1.0.0",
}
