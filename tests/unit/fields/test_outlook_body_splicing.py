import pytest

from workers.calendars.outlook_body import marked, splice_body

BLOB = (
    '<div class="me-email-text" lang="en-US"><div>________________</div>'
    '<div><a href="https://teams.example/l/1?a=1&amp;b=2" id="x">Join: Hello meeting</a></div></div>'
)


def page(text: str) -> str:
    head = '<html><head><meta content="text/html"><style>.a{color:red}</style></head>'
    return f"{head}\n<body>\n{text}<br>\n{BLOB}</body></html>"


def test_our_text_is_replaced_and_the_meeting_stays() -> None:
    assert splice_body(page(marked("Old")), "Old", "New < newer\ntext") == page(marked("New < newer\ntext"))


def test_done_twice_the_second_time_changes_nothing() -> None:
    once = splice_body(page(marked("Old")), "Old", "New")

    assert once is not None
    assert splice_body(once, "Old", "New") is None


def test_without_a_change_of_ours_nothing_is_touched() -> None:
    assert splice_body(page("<div>a person's own words</div>"), "Same", "Same") is None


def test_the_earlier_text_need_not_be_known_where_the_marker_is() -> None:
    assert splice_body(page(marked("Old")), None, "New") == page(marked("New"))
    assert splice_body(page(marked("New\nlines")), None, "New\nlines") is None


@pytest.mark.parametrize(
    "opening",
    [
        '<div class="x_sequence-sync-text">',
        '<div class="x_x_sequence-sync-text" style="color:black">',
        '<DIV dir=ltr CLASS="a sequence-sync-text b">',
        "<div class=sequence-sync-text>",
        "<div class='sequence-sync-text'>",
    ],
)
def test_the_marker_is_known_as_outlook_rewrites_it(opening: str) -> None:
    assert splice_body(page(f"{opening}Old</div>"), None, "New") == page(f"{opening}New</div>")


def test_outlooks_own_white_space_in_our_text_is_no_change() -> None:
    rewritten = (
        '<div class="sequence-sync-text">\r\n<div>One  two</div>\r\n<br><p>three&nbsp;<b>fo</b>ur</p></div>'
    )

    assert splice_body(page(rewritten), None, "One two\nthree four") is None


def test_another_line_break_is_a_change() -> None:
    assert splice_body(page(marked("One two")), None, "One\ntwo") == page(marked("One\ntwo"))


def test_elements_that_outlook_nested_in_ours_go_with_the_old_text() -> None:
    nested = '<div class="sequence-sync-text"><div>Old</div><div>text</div></div>'

    assert splice_body(page(nested), None, "New") == page(marked("New"))


def test_a_name_that_only_begins_like_the_marker_is_not_ours() -> None:
    other = page('<div class="sequence-sync-text-2">Hello</div>')

    assert splice_body(other, None, "New") == other.replace("<body>", "<body>" + marked("New"))


@pytest.mark.parametrize(
    ("found", "left"),
    [
        ("<p>Old &amp; text</p>", "<p>{}</p>"),
        ("<div class=PlainText>Old&nbsp;&#38;<br>\ntext</div>", "<div class=PlainText>{}</div>"),
        ("<span>Old</span> <b>&amp;</b> text", "<span>{}</span>"),
        ("<div>Old</div><div>&amp; text</div>", "<div>{}</div><div></div>"),
    ],
)
def test_without_the_marker_the_earlier_text_is_found_by_its_letters(found: str, left: str) -> None:
    spliced = splice_body(page(found), "Old & text", "New")

    assert spliced == page(left.format(marked("New")))
    assert splice_body(spliced, "Old & text", "New") is None


def test_a_link_that_was_our_text_does_not_stay_around_the_new_one() -> None:
    old = "https://globex.example/1"
    spliced = splice_body(page(f'<p><a href="{old}">{old}</a> today</p>'), f"{old} today", "New")

    assert spliced == page(f"<p>{marked('New')}</p>")


def test_without_marker_and_earlier_text_the_new_one_is_put_first_once() -> None:
    spliced = splice_body(page("<p>Somebody's words</p>"), "Old", "New")

    assert spliced == page("<p>Somebody's words</p>").replace("<body>", "<body>" + marked("New"))
    assert splice_body(spliced, "Old", "New") is None


def test_a_body_that_lost_the_marker_again_does_not_grow() -> None:
    spliced = splice_body(page(""), None, "New text") or ""
    stripped = spliced.replace(' class="sequence-sync-text"', "")

    assert splice_body(stripped, None, "New text") is None
    third = splice_body(stripped, "New text", "Third") or ""
    assert "New" not in third
    assert third.count("Third") == 1


def test_a_new_text_that_begins_with_the_old_one_is_recognised() -> None:
    assert splice_body(page("<p>Call<br>Jo</p>"), "Call", "Call\nJo") is None


def test_a_new_text_that_is_the_beginning_of_the_old_one_replaces_it() -> None:
    assert splice_body(page("<p>Call<br>Jo</p>"), "Call\nJo", "Call") == page(f"<p>{marked('Call')}</p>")


def test_words_of_the_meeting_are_not_taken_for_ours() -> None:
    spliced = splice_body(page(""), None, "Hello")

    assert spliced is not None
    assert spliced.startswith(page("").split("<body>", maxsplit=1)[0] + "<body>" + marked("Hello"))


def test_an_emptied_text_empties_our_element() -> None:
    assert splice_body(page(marked("Old")), "Old", "") == page(marked(""))
    assert splice_body(page("<p>Old</p>"), "Old", "") == page(f"<p>{marked('')}</p>")
    assert splice_body(page("<p>Other</p>"), "Old", "") is None


def test_a_body_without_markup_gets_our_text_first() -> None:
    assert splice_body("", None, "New") == marked("New")
    assert splice_body("Hello", None, "New") == marked("New") + "Hello"


def test_our_element_without_an_end_is_not_cut_into() -> None:
    broken = '<div class="sequence-sync-text">Old'

    assert splice_body(broken, "Old", "New") == f'<div class="sequence-sync-text">{marked("New")}'


@pytest.mark.parametrize("piece", ["<!--", "<div ", "<style>", "&", "<a href=", '<div class="'])
def test_a_hostile_body_is_read_in_linear_time(piece: str) -> None:
    assert splice_body(piece * 10_000, "Old", "New") is not None
