"""Lists the images of a folder by split and class, and counts its other files.

The class of an image is the folder just below its split's folder, or below the whole folder if it
has no splits; the image may be in sub-folders of its class.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from data.config import DataError
from data.sources import image_files

# The names of the splits' folders, in upper or lower case.
SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
ALMOST_A_SPLIT = re.compile(rf"({'|'.join(SPLITS)})([\W\d_].*)?", re.IGNORECASE)
REASONS = 8  # that a message lists one by one
THUMBNAILS = ("__MACOSX", "@eaDir")  # files that operating systems add
# The formats that were read first; folders with only these keep their fingerprint.
FIRST_SUFFIXES, FIRST_SPLITS = (".jpg", ".jpeg", ".png"), ("train", "validation", "val", "test")


@dataclass
class Listing:
    """The images of a folder, and counts of the other files.

    Attributes:
        images: split -> class -> images, in the order of their paths.
        left: reason why files are ignored -> number of files.
        deeper: number of images in sub-folders of their class.
        joined: groups of folders that are read as one split.
    """

    images: dict[str, dict[str, list[Path]]] = field(default_factory=dict)
    left: Counter[str] = field(default_factory=Counter)
    deeper: int = 0
    joined: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[Path]:
        return (f for by_class in self.images.values() for of in by_class.values() for f in of)

    def notes(self, name: str) -> tuple[str, ...]:
        """Lines about ignored files and unusual places; none if the whole folder is as expected."""
        read = f"{name}: {len(list(self)):,} images are read"
        if self.deeper:
            read += f", {self.deeper:,} of them from folders inside those of the classes"
        said = [f"{name}: {folders} are read as one split" for folders in self.joined]
        return (*said, *[f"{read}{self.aside}"] * bool(self.deeper or self.left))

    @property
    def aside(self) -> str:
        """The ignored files and the reasons, as the end of a sentence."""
        most = dict(self.left.most_common(REASONS))
        rest = self.left.total() - sum(most.values())
        told = [f"{why} ({n:,})" for why, n in {**most, "others": rest}.items() if n]
        return f"; ignored: {', '.join(told)}" if told else ""


def list_images(folder: Path) -> Listing:
    """The images of each split and class; a folder without splits is all `train`.

    Raises:
        DataError: a folder cannot be listed, or it has splits under names that are not known.
    """
    tops = _folders(folder)
    splits = {top.name: SPLITS[top.name.lower()] for top in tops if top.name.lower() in SPLITS}
    has_splits = any(_folders(folder / top) for top, role in splits.items() if role == "train")
    if not has_splits:
        _refuse_unknown_splits(folder, tops)
    listing = Listing()
    for role in dict.fromkeys(splits.values()) if has_splits else ():
        several = [base for base, own in splits.items() if own == role]
        listing.joined += [" and ".join(several)] * (len(several) > 1)
    for base, role in splits.items() if has_splits else [("", "train")]:
        empty: dict[str, list[Path]] = {of_class.name: [] for of_class in _folders(folder / base)}
        listing.images.setdefault(role, {}).update(empty)
    for file in _files(folder):
        *above, name = file.relative_to(folder).parts
        split = above.pop(0) if has_splits and above else ""
        is_image = file.suffix.lower() in image_files.SUFFIXES
        if any(_is_hidden(part) for part in (split, *above, name)):
            why = "hidden images" * is_image
        elif has_splits and split not in splits:
            why = f"images beside the splits{split and f' in {split}'}" * is_image
        elif not above:
            why = "images outside the folders of the classes" * is_image
        elif not is_image:
            why = f"{file.suffix.lower()} files" if file.suffix else "files without an extension"
        else:
            listing.images[splits.get(split, "train")][above[0]].append(file)
            listing.deeper += len(above) > 1
            continue
        listing.left.update([why] if why else [])
    return listing


def _refuse_unknown_splits(folder: Path, tops: list[Path]) -> None:
    """DataError for folders that look like splits and would be taken for classes."""
    alike = [top.name for top in tops if ALMOST_A_SPLIT.fullmatch(top.name) and _folders(top)]
    if len(alike) > 1:
        raise DataError(
            f"{folder} has {' and '.join(alike)} with folders of their own, which look like "
            "splits; call them train, validation and test"
        )


def _folders(folder: Path) -> list[Path]:
    try:
        found = sorted(entry for entry in folder.iterdir() if entry.is_dir())
    except OSError as error:
        raise unreadable(error) from None
    return [entry for entry in found if not _is_hidden(entry.name)]


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name in THUMBNAILS


def _files(folder: Path) -> list[Path]:
    """All files at any depth, in the order of their paths."""

    def fails(error: OSError) -> None:
        raise unreadable(error)

    found = []
    for top, folders, names in os.walk(folder, followlinks=True, onerror=fails):
        folders[:] = [name for name in folders if not _leads_back(Path(top, name))]
        found += [Path(top, name) for name in names]
    return sorted(found)


def _leads_back(folder: Path) -> bool:
    """Whether a folder is a link to one of its parent folders."""
    return folder.is_symlink() and folder.parent.resolve().is_relative_to(folder.resolve())


def unreadable(error: OSError) -> DataError:
    return DataError(f"{error.filename} cannot be read ({error.strerror})")


def of_first_suffixes(folder: Path) -> list[Path]:
    """All images in the formats that fingerprints covered first, at any depth."""
    return [file for file in _files(folder) if file.suffix.lower() in FIRST_SUFFIXES]


def unlike_first(folder: Path, listing: Listing) -> list[Path]:
    """The images that only the current layout or only the first one reads."""
    has_splits = (folder / "train").is_dir() and _folders(folder / "train") != []

    def was_read(file: Path) -> bool:
        *above, _ = file.relative_to(folder).parts
        if any(part.startswith(".") for part in above):
            return False
        return len(above) == 2 and above[0] in FIRST_SPLITS if has_splits else len(above) == 1

    return sorted({file for file in of_first_suffixes(folder) if was_read(file)} ^ {*listing})
