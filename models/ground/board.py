"""A board that all processes of this program see, made before they part: moments, by number."""

from datetime import UTC, datetime
from mmap import mmap
from struct import Struct

SLOTS = 4096  # of two numbers that share a slot, the later one counts
SLOT = Struct("qq")  # the number, and its moment in seconds; none while it is being written


class Board:
    """{number: moment (UTC)}, in memory that is shared with the processes forked from this one: no
    disk is needed for it.
    """

    def __init__(self):
        self.memory = mmap(-1, SLOTS * SLOT.size)

    def write(self, number, seconds):
        SLOT.pack_into(self.memory, number % SLOTS * SLOT.size, number, seconds)

    def get(self, number, default=None):
        known, seconds = SLOT.unpack_from(self.memory, number % SLOTS * SLOT.size)
        return datetime.fromtimestamp(seconds, UTC) if known == number and seconds else default

    def __setitem__(self, number, moment):
        self.write(number, 0)
        self.write(number, int(moment.timestamp()))

    def pop(self, number, default=None):
        found = self.get(number, default)
        if found is not default:
            self.write(number, 0)
        return found

    def clear(self):
        self.memory[:] = bytes(SLOTS * SLOT.size)
