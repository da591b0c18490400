"""No number under the threshold can be found in what is published, whatever the numbers are."""

from itertools import product

from hypothesis import example, given
from hypothesis import strategies as st

from services.stats.domain.counted import JUDGED, Month
from services.stats.domain.disclosure import THRESHOLD, hide, narrowed
from services.stats.domain.publication import COLUMNS, Figure, Line, Published, Table, add_up, percentile, publish

CODES = ("a", "b", "c", "d", "e")
CELLS = st.lists(st.integers(0, 40) | st.integers(0, 12), min_size=1, max_size=5).map(
    lambda amounts: dict(zip(CODES, amounts, strict=False))
)
ORDER = st.permutations(CODES)


@given(CELLS, ORDER)
@example({"a": 10, "b": 50, "c": 50}, list(CODES))  # "the smallest of the others" would give 10 away
@example({"a": 1, "b": 11}, list(CODES))
def test_a_hidden_cell_may_be_any_small_number_or_none_as_far_as_a_reader_can_tell(cells, order) -> None:
    hidden = hide(cells, order=order)
    if hidden is None:
        return
    assert {code for code, amount in cells.items() if 0 < amount < THRESHOLD} <= hidden
    assert len(hidden) != 1
    rest = sum(cells[code] for code in hidden)
    zeros_hidden = all(amount > 0 for code, amount in cells.items() if code not in hidden)
    assert not hidden or rest >= THRESHOLD
    assert not hidden or rest - len(hidden) >= THRESHOLD - 2 or zeros_hidden


@given(st.lists(st.integers(0, 24) | st.integers(1, 11), min_size=2, max_size=4), st.permutations(CODES[:4]))
@example([10, 50, 50], ["a", "b", "c", "d"])
def test_even_who_knows_how_it_is_done_cannot_work_out_a_hidden_cell(amounts, order) -> None:
    """The reader tries every table that would have been published as this one was."""
    cells = dict(zip(CODES, amounts, strict=False))
    hidden = hide(cells, order=order)
    if not hidden or len(hidden) > 3:
        return
    names, rest = sorted(hidden), sum(cells[code] for code in hidden)
    first = product(range(rest + 1), repeat=len(names) - 1)
    tables = [(*some, rest - sum(some)) for some in first if sum(some) <= rest]
    possible = [table for table in tables if hide(cells | dict(zip(names, table, strict=True)), order=order) == hidden]
    for place in range(len(names)):
        assert len({table[place] for table in possible}) >= THRESHOLD - 2


@given(CELLS, ORDER)
@example({"a": 1, "b": 1, "c": 1, "d": 8, "e": 11}, list(CODES))  # hidden whole, too little is left: small ones and zeros are
def test_what_is_hidden_besides_the_small_cells_does_not_depend_on_how_large_the_others_are(cells, order) -> None:
    larger = {code: amount + 1000 if amount >= THRESHOLD else amount for code, amount in cells.items()}
    hidden, with_larger = hide(cells, order=order), hide(larger, order=order)
    to_spare = sum(amount - (THRESHOLD if amount >= THRESHOLD else 1) for amount in cells.values())
    if hidden is not None and all(amount > 0 for amount in cells.values()) and to_spare >= THRESHOLD - 2:
        assert with_larger is not None
        assert with_larger <= hidden
        assert [code for code in order if code in hidden and cells[code] >= THRESHOLD] == [
            code for code in order if code in cells and cells[code] >= THRESHOLD
        ][: sum(cells[code] >= THRESHOLD for code in hidden)]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), min_size=1, max_size=4), st.integers(0, 12))
def test_the_interval_of_a_hidden_cell_is_exact(pairs, rest) -> None:
    bounds = {CODES[place]: (low, low + width) for place, (low, width) in enumerate(pairs)}
    possible = [values for values in product(*(range(low, high + 1) for low, high in bounds.values())) if sum(values) == rest]
    for place, interval in enumerate(narrowed(rest, bounds).values()):
        if possible:
            assert interval == (min(values[place] for values in possible), max(values[place] for values in possible))


AMOUNT = st.integers(0, 40) | st.integers(0, 12)
ROWS = st.lists(
    st.tuples(
        st.sampled_from(("s1", "s2", "s3", "s4")), st.sampled_from(("web", "phone", "desk")), AMOUNT, AMOUNT, AMOUNT, AMOUNT
    ),
    max_size=8,
)


def month_of(rows) -> Month:
    """Rows of (service, channel, received, taken, overdue, escalated): together no more are taken and overdue than received."""
    month = Month()
    for service, channel, received, taken, overdue, escalated in rows:
        told = {"received": received, "taken_in_charge": min(taken, received), "escalated_1": min(escalated, received)}
        told |= {"within_promise": told["taken_in_charge"] // 2, "overdue": min(overdue, received - told["taken_in_charge"])}
        for table, code in ((month.services, service), (month.channels, channel)):
            for measure, amount in told.items():
                of = table.amounts.setdefault(measure, {})
                of[code] = of.get(code, 0) + amount
            table.minutes.setdefault(code, {})[30] = table.minutes.get(code, {}).get(30, 0) + told["taken_in_charge"]
    return month


@given(ROWS)
def test_no_small_number_can_be_worked_out_from_a_published_month(rows) -> None:
    month = month_of(rows)
    published = publish(month, services=("s1", "s2", "s3", "s4"), channels=("web", "phone", "desk"))

    for table, counted in ((published.services, month.services), (published.channels, month.channels)):
        for column in COLUMNS:
            true = counted.cells(column, table.lines)
            for code, line in table.lines.items():
                shown = line.amounts[column]
                assert shown in (None, true[code])
                assert shown is None or shown == 0 or shown >= THRESHOLD
                if column == "taken_in_charge" and not shown:
                    assert line.minutes == {}
                if column == JUDGED and not shown:
                    assert line.within == 0
            total = table.total.amounts[column]
            assert total == published.services.total.amounts[column], "the two tables tell different totals"
            gone = [code for code, line in table.lines.items() if line.amounts[column] is None]
            if total is not None and gone and (table is published.services or column == "received"):
                rest = total - sum(line.amounts[column] or 0 for line in table.lines.values())
                assert len(gone) >= 2
                assert rest >= THRESHOLD


@given(ROWS)
def test_by_channel_not_even_the_received_give_a_small_number_away(rows) -> None:
    month = month_of(rows)
    table = publish(month, services=("s1", "s2", "s3", "s4"), channels=("web", "phone", "desk")).channels

    received_total = table.total.amounts["received"]
    for column in COLUMNS[1:]:
        gone = [code for code, line in table.lines.items() if line.amounts[column] is None]
        total = table.total.amounts[column]
        if total is None or received_total is None or not gone:
            continue
        rest = total - sum(line.amounts[column] or 0 for line in table.lines.values())
        hidden_received = received_total - sum(line.amounts["received"] or 0 for line in table.lines.values())
        intervals = narrowed(rest, {code: (0, _most(table, code, hidden_received)) for code in gone})
        for code in gone:
            low, high = intervals[code]
            assert high - low >= THRESHOLD - 2 or month.channels.cells(column, [code])[code] >= THRESHOLD


@given(ROWS)
@example([("s1", "web", 50, 50, 0, 0), ("s2", "web", 20, 0, 3, 0), ("s3", "web", 40, 20, 0, 0)])
def test_a_share_gives_no_small_number_away_even_if_it_told_exactly_of_how_many_it_is(rows) -> None:
    """The reader knows the judged wherever a share is shown, and that those taken in charge are among them."""
    month = month_of(rows)
    published = publish(month, services=("s1", "s2", "s3", "s4"), channels=("web", "phone", "desk"))

    for table, counted in ((published.services, month.services), (published.channels, month.channels)):
        total = table.total.amounts[JUDGED]
        gone = {code: line for code, line in table.lines.items() if line.amounts[JUDGED] is None}
        assert all(code in gone for code, line in table.lines.items() if line.amounts["taken_in_charge"] is None)
        if total is None or not gone:
            continue
        rest = total - sum(line.amounts[JUDGED] or 0 for line in table.lines.values())
        known = {code: line.amounts["taken_in_charge"] or 0 for code, line in gone.items()}
        for code, (low, high) in narrowed(rest, {code: (least, rest) for code, least in known.items()}).items():
            assert high - low >= THRESHOLD - 2 or counted.cells(JUDGED, [code])[code] >= THRESHOLD


def test_a_service_that_leaves_requests_lying_keeps_no_promise() -> None:
    month = month_of([("s1", "web", 40, 0, 20, 0), ("s2", "web", 60, 30, 30, 0)])
    published = publish(month, services=("s1", "s2"), channels=("web",))

    assert shares(published) == {"s1": 0, "s2": 25}  # 15 in time, of 30 taken and 30 overdue
    assert add_up([published.services.total]).within_percent == 18  # 15 of 80


def shares(published: Published) -> dict[str, int | None]:
    return {code: add_up([line]).within_percent for code, line in published.services.lines.items()}


def test_a_share_of_few_is_hidden_and_said_to_be() -> None:
    month = month_of([("s1", "web", 40, 0, 5, 0), ("s2", "web", 60, 30, 30, 0), ("s3", "web", 30, 0, 0, 0)])
    lines = publish(month, services=("s1", "s2", "s3"), channels=("web",)).services.lines

    summaries = {code: add_up([line]) for code, line in lines.items()}
    assert {code: (one.within_percent, one.within_hidden) for code, one in summaries.items()} == {
        "s1": (None, True),
        "s2": (None, True),  # or 65 - 60 would tell the 5
        "s3": (None, False),
    }


def test_a_channel_hidden_among_the_received_is_hidden_among_the_taken_too() -> None:
    month = month_of([("s1", "web", 40, 30, 0, 0), ("s1", "phone", 24, 24, 0, 0), ("s1", "desk", 1, 0, 0, 0)])

    lines = publish(month, services=("s1",), channels=("web", "phone", "desk")).channels.lines

    assert {code: line.amounts["received"] for code, line in lines.items()} == {"web": 40, "phone": None, "desk": None}
    # 24 taken by phone would mean 24 or more received by phone, of 25 that are hidden: the desk's 1.
    assert lines["phone"].amounts["taken_in_charge"] is None


def _most(table: Table, code: str, hidden_received: int) -> int:
    received = table.lines[code].amounts["received"]
    return hidden_received if received is None else received


def test_longer_periods_add_up_what_was_published_and_say_when_something_is_missing() -> None:
    def line(received: int | None, taken: int | None, within: int = 0, minutes: dict[int, int] | None = None) -> Line:
        amounts = {"received": received, "taken_in_charge": taken, JUDGED: taken, "escalated_1": 0, "transferred": None}
        return Line(amounts, within=within, minutes=minutes or {})

    summary = add_up([line(20, 12, 11, {10: 6, 90: 6}), line(None, None), line(15, 15, 15, {20: 15})])

    assert summary.received == Figure(35, at_least=True)
    assert summary.escalated == Figure(0)
    assert summary.transferred == Figure(None)
    assert summary.within_percent == 96  # 26 of 27, rounded down: never "100 %" when one was late
    assert (summary.median_minutes, summary.ninth_decile_minutes) == (20, 90)


@given(st.lists(st.integers(0, 500), min_size=1, max_size=200), st.sampled_from((50, 90)))
def test_a_percentile_is_the_smallest_value_that_enough_do_not_exceed(values, percent) -> None:
    histogram = {value: values.count(value) for value in values}

    found = percentile(histogram, percent)

    assert found is not None
    assert sum(value <= found for value in values) * 100 >= percent * len(values)
    assert sum(value < found for value in values) * 100 < percent * len(values)
    assert percentile({}, percent) is None
