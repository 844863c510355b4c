"""Best and median of what was measured in many repetitions."""

import dataclasses
import statistics


@dataclasses.dataclass(frozen=True)
class Statistic:
    """Of one figure; written as `best (median)`."""

    best: float
    median: float

    @classmethod
    def of(cls, values: list[float]) -> "Statistic":
        """Of rates, of which the highest is the best."""
        return cls(max(values), statistics.median(values))

    @classmethod
    def rate(cls, amounts: list[float], seconds: list[list[float]]) -> "Statistic":
        """All amounts in the time of the best repetition of each, and of the median one."""
        amount = sum(amounts)
        return cls(amount / sum(map(min, seconds)), amount / sum(map(statistics.median, seconds)))

    def __truediv__(self, other: "Statistic") -> "Statistic":
        return Statistic(self.best / other.best, self.median / other.median)

    def __mul__(self, factor: float) -> "Statistic":
        return Statistic(self.best * factor, self.median * factor)

    def text(self, digits: int) -> str:
        return f"{self.best:.{digits}f} ({self.median:.{digits}f})"

    @property
    def ratio(self) -> str:
        return f"**{self.best:.2f}** ({self.median:.2f})"

    @property
    def share(self) -> str:
        return f"{100 * self.best:.0f} % ({100 * self.median:.0f} %)"
