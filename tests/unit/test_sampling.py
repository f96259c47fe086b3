"""Lines that strangers can have written are so many a second, and say how many were left out."""

from structlog.testing import CapturingLogger

from admin.sampling import LINES_A_SECOND, Sampled


def test_above_a_rate_lines_are_left_out_and_counted() -> None:
    now, written = [100.0], CapturingLogger()
    sampled = Sampled(written, clock=lambda: now[0])
    for _ in range(1000):
        sampled.log("info", "refused", status=404)
    sampled.log("warning", "other")
    assert len(written.calls) == LINES_A_SECOND + 1
    assert written.calls[-1].method_name == "warning"
    now[0] += 1
    sampled.log("info", "refused", status=401)
    sampled.log("info", "refused", status=402)
    assert written.calls[-2].kwargs == {"status": 401, "left_out": 1000 - LINES_A_SECOND}
    assert written.calls[-1].kwargs == {"status": 402}
