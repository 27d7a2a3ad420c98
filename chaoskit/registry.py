"""A table of plug-ins by name in which a double name is an error."""

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Registry(Mapping[str, Item], Generic[Item]):
    """What is known under a name; `noun` is the word for one item in messages ("fault", "toxic")."""

    def __init__(self, noun: str) -> None:
        self.noun = noun
        self._items: dict[str, Item] = {}

    def register(self, name: str, item: Item) -> Item:
        """Add `item` under `name` and return it.

        Raises:
            ValueError: the name is taken; a silent overwrite would hide one of the two.
        """
        if name in self._items:
            message = f"two {self.noun}s are registered as {name!r}: {self._items[name]!r} and {item!r}"
            raise ValueError(message)
        self._items[name] = item
        return item

    def __getitem__(self, name: str) -> Item:
        return self._items[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)
