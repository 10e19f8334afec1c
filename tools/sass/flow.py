"""The flow of control of a kernel: its loops, and the path of one turn of a loop."""
import bisect
import collections
import dataclasses

ENDS = {"BRA", "EXIT", "RET", "BRX", "JMP", "BREAK", "BSYNC"}


@dataclasses.dataclass
class Block:
    instructions: list
    after: list  # indices of the blocks that may follow


@dataclasses.dataclass
class Loop:
    head: int
    blocks: set  # indices


def blocks_of(code):
    """The basic blocks of a kernel. The end of a BSSY region is taken for the instruction that follows its BSYNC."""
    at = {one.address: i for i, one in enumerate(code)}
    starts = {0}
    for i, one in enumerate(code):
        if one.name not in ENDS:
            continue
        starts.add(i + 1)
        if one.name == "BRA" and one.target() in at:
            starts.add(at[one.target()])
    starts = sorted(s for s in starts if s < len(code))
    made = []
    for start, end in zip(starts, starts[1:] + [len(code)]):
        last = code[end - 1]
        after = []
        conditional = last.predicate or last.opcode != "BRA" or "," in last.operands or " " in last.operands
        if last.name == "BRA" and last.target() in at:
            after.append(bisect.bisect_right(starts, at[last.target()]) - 1)
        if (last.name not in ENDS or last.name == "BSYNC" or conditional) and not (last.name == "EXIT" and not last.predicate) and end < len(code):
            after.append(bisect.bisect_right(starts, end) - 1)
        made.append(Block(code[start:end], after))
    return made


def order_of(blocks):
    """Blocks that can be reached, each before those that follow it, except along edges that go back."""
    seen, order, stack = {0}, [], [(0, iter(blocks[0].after))]
    while stack:
        block, after = stack[-1]
        following = next((b for b in after if b not in seen), None)
        if following is None:
            order.append(block)
            stack.pop()
        else:
            seen.add(following)
            stack.append((following, iter(blocks[following].after)))
    return order[::-1]


def dominators(blocks, order):
    """For every reachable block the one that precedes it on every path (Cooper, Harvey, Kennedy 2001)."""
    place = {block: i for i, block in enumerate(order)}
    before = collections.defaultdict(list)
    for block in order:
        for following in blocks[block].after:
            before[following].append(block)
    nearest = {order[0]: order[0]}
    changed = True
    while changed:
        changed = False
        for block in order[1:]:
            new = None
            for other in before[block]:
                if other not in nearest:
                    continue
                if new is None:
                    new = other
                while new != other:
                    if place[new] > place[other]:
                        new = nearest[new]
                    else:
                        other = nearest[other]
            if nearest.get(block) != new:
                nearest[block], changed = new, True
    return nearest, before


def loops_of(blocks):
    """The natural loops, those with the same head merged."""
    order = order_of(blocks)
    nearest, before = dominators(blocks, order)

    def dominates(a, b):
        while b != a and nearest[b] != b:
            b = nearest[b]
        return a == b

    found = {}
    for block in order:
        for head in blocks[block].after:
            if not dominates(head, block):
                continue
            loop = found.setdefault(head, Loop(head, {head}))
            todo = [block]
            while todo:
                one = todo.pop()
                if one not in loop.blocks:
                    loop.blocks.add(one)
                    todo += before[one]
    return list(found.values())


def outermost(blocks, loops, opcode):
    """The loops with such an instruction that lie in no other one with it."""
    having = [loop for loop in loops if any(one.opcode.startswith(opcode) for b in loop.blocks for one in blocks[b].instructions)]
    return [loop for loop in having if not any(loop.blocks < other.blocks for other in having)]


def states(blocks, state, after):
    """(instruction, state before it) of every path from the first instruction, which begins with `state`; both once per state of
    a block. after(instruction, state) is what follows, or None: no path that is of interest."""
    seen, todo = set(), [(0, state)]
    while todo:
        block, state = todo.pop()
        if (block, state) in seen:
            continue
        seen.add((block, state))
        for one in blocks[block].instructions:
            yield one, state
            state = after(one, state)
            if state is None:
                break
        else:
            todo += [(following, state) for following in blocks[block].after]


def turn(blocks, loop, worth):
    """The instructions of one turn of a loop, each inner loop passed once, and whether each is a branch that is taken. Of
    all paths the one with the greatest sum of worth(instruction), a tuple of numbers; of these the shortest."""
    def value(block):
        numbers = [worth(one) for one in blocks[block].instructions]
        return tuple(sum(column) for column in zip(*numbers)) + (-len(numbers),)

    order = [b for b in order_of(blocks) if b in loop.blocks]
    place = {block: i for i, block in enumerate(order)}
    best, came = {loop.head: value(loop.head)}, {}
    for block in order:
        if block not in best:
            continue
        for following in blocks[block].after:
            if following not in place or place[following] <= place[block]:
                continue
            total = tuple(a + b for a, b in zip(best[block], value(following)))
            if following not in best or total > best[following]:
                best[following], came[following] = total, block
    ends = [block for block in best if loop.head in blocks[block].after]
    block = max(ends, key=lambda b: best[b])
    path = [block]
    while path[-1] != loop.head:
        path.append(came[path[-1]])
    path.reverse()
    steps = []
    for block, following in zip(path, path[1:] + [loop.head]):
        code = blocks[block].instructions
        taken = code[-1].name == "BRA" and code[-1].target() == blocks[following].instructions[0].address
        steps += [(one, False) for one in code[:-1]] + [(code[-1], taken)]
    return steps
