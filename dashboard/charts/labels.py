"""Where the labels of a chart stand, so that none lies on another one or on a point: a pure function of positions."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

WIDE, HIGH = 700, 430  # pixels of a chart's inside on a small screen; a larger one leaves more room
LETTER, LINE = 6.5, 13  # pixels of a small label's letter and line
MARK = 7  # pixels from a point's middle to its edge
RING = 14  # and to that of the ring around a point
POSITIONS = {  # plotly's name -> the label's corner from the point: in its own widths and heights, and in pixels
    "top center": (-0.5, 0.0, 0, MARK),
    "bottom center": (-0.5, -1.0, 0, -MARK),
    "middle right": (0.0, -0.5, MARK, 0),
    "middle left": (-1.0, -0.5, -MARK, 0),
}


class Room:
    """The inside of a chart whose points are known; each label that is placed takes some of it away."""

    def __init__(self, x: Iterable[float], y: Iterable[float]) -> None:
        points = np.column_stack([np.asarray(list(x), float), np.asarray(list(y), float)])
        points = points[np.isfinite(points).all(axis=1)]
        self._low = points.min(axis=0) if len(points) else np.zeros(2)
        span = np.ptp(points, axis=0) if len(points) else np.ones(2)
        self._scale = np.array([WIDE, HIGH]) / np.where(span > 0, span, 1.0)
        pixels = (points - self._low) * self._scale
        self._taken = np.column_stack([pixels - MARK, pixels + MARK])

    def line(self, x: Sequence[float], y: Sequence[float]) -> None:
        """Keep labels off a line through points, such as an interval or a course."""
        ends = (np.column_stack([np.asarray(x, float), np.asarray(y, float)]) - self._low) * self._scale
        for start, end in pairwise(ends):
            if np.isfinite([start, end]).all():
                steps = max(int(np.abs(end - start).max() // MARK), 1)
                dots = start + np.linspace(0, 1, steps + 1)[:, None] * (end - start)
                self._taken = np.vstack([self._taken, np.column_stack([dots - 1, dots + 1])])

    def ring(self, x: float, y: float) -> None:
        """Keep labels off the ring around a point."""
        middle = (np.array([x, y]) - self._low) * self._scale
        self._taken = np.vstack([self._taken, np.concatenate([middle - RING, middle + RING])])

    def place(self, x: Sequence[float], y: Sequence[float], texts: Sequence[str]) -> list[str | None]:
        """Return plotly's text position of each label at its point; None where there is no room for it."""
        return [self._place(float(a), float(b), text) for a, b, text in zip(x, y, texts, strict=True)]

    def _place(self, x: float, y: float, text: str) -> str | None:
        left, bottom = (np.array([x, y]) - self._low) * self._scale
        wide = LETTER * len(text)
        others = self._others(left, bottom)
        for name, (right, up, dx, dy) in POSITIONS.items():
            start = np.array([left + right * wide + dx, bottom + up * LINE + dy])
            box = np.concatenate([start, start + np.array([wide, LINE])])
            if not overlap(box, others):
                self._taken = np.vstack([self._taken, box])
                return name
        return None

    def _others(self, x: float, y: float) -> np.ndarray:
        """All boxes but the marks of points at this very place."""
        middle = (self._taken[:, :2] + self._taken[:, 2:]) / 2
        own = (np.abs(middle - (x, y)).max(axis=1) < 0.5) & (self._taken[:, 2] - self._taken[:, 0] <= 2 * MARK + 0.5)
        return self._taken[~own]


def overlap(box: np.ndarray, others: np.ndarray) -> bool:
    """Whether a box [4] lies on any of others [boxes, 4]."""
    return bool(((others[:, :2] < box[2:]) & (others[:, 2:] > box[:2])).all(axis=1).any())
