"""The innermost loop of a kernel that multiplies without Hopper's warpgroups: what a turn costs one warp, and many."""
import dataclasses

import clocks
import constants
import flow
import listing

PRODUCTS = ("FFMA", "DFMA", "DMMA")
SCHEDULERS = 4  # of a multiprocessor; each issues one instruction per clock


@dataclasses.dataclass(frozen=True)
class Turn:
    instructions: int
    shared_loads: int
    clocks: int  # of one warp alone, by the model

    def with_warps(self, warps):
        """Clocks in which each of so many warps of a multiprocessor makes a turn: of one warp alone, of the instructions of
        all, or of their loads from shared memory, one per clock."""
        return max(self.clocks, self.instructions * warps / SCHEDULERS, self.shared_loads * warps)


def turn_of(part):
    """The Turn of a kernel's innermost loop with the most multiplications. Raises ValueError if it has none."""
    blocks = flow.blocks_of(listing.instructions(part))
    loops = flow.loops_of(blocks)
    best, most = None, 0
    for loop in loops:
        if any(other.blocks < loop.blocks for other in loops):
            continue
        steps = flow.turn(blocks, loop, lambda one: (one.name in PRODUCTS,))
        products = sum(one.name in PRODUCTS for one, _ in steps)
        if products > most:
            best, most = steps, products
    if best is None:
        raise ValueError("a kernel without a loop of multiplications")
    latency = constants.LATENCY
    return Turn(len(best), sum(one.name == "LDS" for one, _ in best),
                clocks.clocks_of_turn(best, lambda one: latency.get(one.name, latency["other"]), constants.TAKEN_BRANCH))
