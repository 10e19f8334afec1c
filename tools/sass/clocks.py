"""A static model of how one warp issues a loop: in order, each instruction waits for the barriers of those it depends on."""
BARRIERS = 6
TURNS = 8  # the first turns have fewer barriers to wait for


def clocks_of_turn(steps, latency_of, taken_branch):
    """Clocks of one turn of a loop. `steps`: flow.turn(); `latency_of`: clocks until an instruction's barriers are free."""
    ready = [0] * (BARRIERS + 2)
    now, ends = 0, []
    for _ in range(TURNS):
        for one, taken in steps:
            waits = one.waits
            for barrier in range(BARRIERS):
                if waits >> barrier & 1:
                    now = max(now, ready[barrier])
            for barrier in (one.writes, one.reads):
                if barrier < BARRIERS:
                    ready[barrier] = max(ready[barrier], now + latency_of(one))
            now += max(one.stall, 1) + (taken_branch if taken else 0)
        ends.append(now)
    return ends[-1] - ends[-2]
