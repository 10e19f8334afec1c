"""Reads a listing of cuobjdump -sass: the kernels of sm_90a with their instructions and the scheduling bits of each."""
import re
import typing

KERNEL = re.compile(r"^\s*Function : (\S+)", re.MULTILINE)
ARCH = re.compile(r"^arch = (\w+)", re.MULTILINE)
# An instruction is printed on two lines, each of which ends with one of its 64-bit words.
INSTRUCTION = re.compile(r"^\s*/\*([0-9a-f]{4,})\*/\s+([^;]+?)\s*;\s+/\* 0x[0-9a-f]{16} \*/\n\s*/\* 0x([0-9a-f]{16}) \*/", re.MULTILINE)
WORDS = re.compile(r"(?:@(!?)(U?P\w+)\s+)?([A-Z]\S*)\s*(.*)", re.DOTALL)
TARGET = re.compile(r"\b0x([0-9a-f]+)\s*$")
NONE = 7  # the number of a barrier that is not used


class Instruction(typing.NamedTuple):
    """`stall` clocks until the next instruction may issue; the barriers that this one sets for its result (`writes`) and for
    its operands (`reads`), NONE without; `waits`: bit b for barrier b."""
    address: int
    predicate: str  # "!P0"; "" if it is always executed
    opcode: str     # "UTMALDG.3D"
    operands: str
    stall: int
    writes: int
    reads: int
    waits: int

    @property
    def name(self):
        return self.opcode.split(".")[0]

    def target(self):
        """Where a branch leads, None if that is not known."""
        match = TARGET.search(self.operands)
        return int(match[1], 16) if match else None


def instruction(address, text, word):
    predicate_not, predicate, opcode, operands = WORDS.match(text).groups()
    control = int(word, 16) >> 41
    return Instruction(int(address, 16), (predicate_not or "") + (predicate or ""), opcode, operands, control & 15, control >> 5 & 7,
                       control >> 8 & 7, control >> 11 & 63)


def kernels(text):
    """(mangled name, its part of the listing) for every kernel of sm_90a, in order."""
    found = []
    arches = [(match.start(), match[1]) for match in ARCH.finditer(text)]
    heads = list(KERNEL.finditer(text))
    for head, after in zip(heads, [h.start() for h in heads[1:]] + [len(text)]):
        before = [arch for at, arch in arches if at < head.start()]
        if before and before[-1].startswith("sm_90"):
            found.append((head[1], text[head.end():after]))
    return found


def instructions(part):
    return [instruction(*match.groups()) for match in INSTRUCTION.finditer(part)]
