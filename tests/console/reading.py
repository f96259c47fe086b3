"""A page as a program sees it: its words, links and forms."""

from html.parser import HTMLParser
from typing import NamedTuple

Field = tuple[str, str]


_BLOCKS = ("button", "caption", "dd", "dt", "h1", "h2", "h3", "li", "p", "td", "th", "title")


class Form(NamedTuple):
    """What a form posts, and its buttons by what stands on them."""

    action: str
    method: str
    fields: list[Field]
    buttons: dict[str, Field | None]


class Page(HTMLParser):
    """Reads one page."""

    def __init__(self, status: int, text: str, url: str, headers: dict[str, str]) -> None:
        super().__init__()
        self.status = status
        self.text = text
        self.url = url
        self.headers = headers
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self._said: list[str] = []
        self._inside: list[str] = []
        self._button: Field | None = None
        self.feed(text)

    @property
    def words(self) -> str:
        """What can be read, white space made one blank."""
        return " ".join("".join(self._said).split())

    @property
    def heading(self) -> str:
        """The words of the first heading."""
        start = self.text.index("<h1>")
        found = Page(0, self.text[start : self.text.index("</h1>")], "", {})
        return found.words

    def form(self, button: str) -> Form:
        """The form that has a button with these words."""
        [found] = [form for form in self.forms if button in form.buttons]
        return found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append((tag, given))
        self._inside.append(tag)
        if tag == "a":
            self.links.append(given["href"])
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given["method"], [], {}))
        if tag == "input" and self.forms and given.get("type") != "checkbox":
            self.forms[-1].fields.append((given["name"], given.get("value", "")))
        if tag == "button":
            self._button = (given["name"], given["value"]) if "name" in given else None

    def handle_data(self, data: str) -> None:
        self._said.append(data)
        if self._inside and self._inside[-1] == "button":
            self.forms[-1].buttons[" ".join(data.split())] = self._button

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop() != tag:
            pass
        if tag in _BLOCKS:
            self._said.append(" ")
