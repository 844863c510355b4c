"""Two sides in turns, with the machine's peak between them, and what the peaks say of the machine.

The rule of `MachineModes.swift`: peaks that differ by more than a quarter are of two modes, whose border is halfway as a ratio.
"""

import statistics

from side import Side


class Turns:
    """A peak, a repetition of ours, a peak, a repetition of theirs, and so on, for every request of every round."""

    def __init__(self, ours: Side, theirs: Side, requests: list[str], rounds: int) -> None:
        self.peaks: list[float] = []
        self.ours: list[list[float]] = [[] for _ in requests]
        self.theirs: list[list[float]] = [[] for _ in requests]
        ours.start()
        if theirs.stays:
            theirs.start()
        for _ in range(rounds):
            for place, request in enumerate(requests):
                self.peaks.append(ours.ask("peak"))
                self.ours[place].append(ours.ask(request))
                self.peaks.append(ours.ask("peak"))
                ours.rest()
                self.theirs[place].append(theirs.ask(request))
                theirs.rest()
        if ours.stays:
            self.peaks.append(ours.ask("peak"))
        ours.close()
        theirs.close()

    @property
    def text(self) -> str:
        """Whether the machine kept its speed, and how many repetitions fell where."""
        best, worst = max(self.peaks), min(self.peaks)
        if best <= 1.25 * worst:
            return f"peaks of {worst / 1e9:.0f} to {best / 1e9:.0f} GFLOP/s in {len(self.peaks)} bursts: the machine kept its speed."
        border = (best * worst) ** 0.5
        fast, slow = [peak for peak in self.peaks if peak > border], [peak for peak in self.peaks if peak <= border]
        text = f"the machine changed its speed: {len(fast)} peaks of about {statistics.median(fast) / 1e9:.0f} GFLOP/s, "
        text += f"{len(slow)} of about {statistics.median(slow) / 1e9:.0f}; "
        turns = list(zip(self.peaks, self.peaks[1:]))
        for name, own in (("Shoal", turns[::2]), ("the peer", turns[1::2])):
            in_fast, in_slow = sum(min(turn) > border for turn in own), sum(max(turn) <= border for turn in own)
            text += f"repetitions of {name}: {in_fast} fast, {in_slow} slow, {len(own) - in_fast - in_slow} across a change; "
        return text + "compare only the best."
