"""The loops of a kernel on tensor cores: what its producer and its consumer cost per slice, and what the multiplication
of the slice needs. Everything is read from the machine code and the kernel's template arguments."""
import dataclasses
import re

import clocks
import constants
import flow
import listing

# TensorTile<precision, shape, major of W, bytes of a row> (engine/cuda/tile/tensor_tile.h).
TILE = re.compile(r"(tensor_\w+)<umbra::TensorTile<\(umbra::Precision\)(\d), \(umbra::TensorShape\)(\d), \(umbra::Major\)(\d), (\d+)>")
PRECISIONS = {1: "tf32", 2: "bf16"}
SHAPES = ("rows64", "rows128", "rows200", "rows256", "units1", "units8")
MAJORS = ("k", "mn")
PRODUCT = re.compile(r"HGMMA\.64x(\d+)x(\d+)\.F32")  # columns and steps
RESULT = re.compile(r"(U?R)(\d+)")
WIDE = re.compile(r"\.(64|128)\b")
DUMMY = "HGMMA.64x8x16.F16"                          # multiplies nothing: ptxas waits with it
WARPGROUPS = 2                                       # that multiply
ROW_BYTES_OF_STEP = 32                               # of an operand that one wgmma reads
BLOCKS_OF_CLUSTER = "c[0x0][0x188]"                  # where a kernel finds their number


@dataclasses.dataclass(frozen=True)
class Cost:
    """Clocks: the floor gives every instruction the same latency, the model those of constants.py."""
    floor: int
    model: int


@dataclasses.dataclass(frozen=True)
class Producer:
    most: int         # copies of a slice
    of_most: Cost     # per slice
    fewest: int
    of_fewest: Cost

    def clocks(self, copies, whole):
        """Per slice by the model, with so many copies of the `whole` of a slice for all units, which several warps may share."""
        if self.most == self.fewest:
            return self.of_most.model
        each = (self.of_most.model - self.of_fewest.model) / (self.most - self.fewest)
        return self.of_most.model - (whole - copies) * self.most / whole * each


@dataclasses.dataclass
class Loops:
    kernel: str           # "tensor_cluster bf16 rows200 mn"
    producers: dict       # "taps" or "pairs": Producer
    consumer: Cost        # instructions of a slice, without the time of its multiplications
    products: int         # sequences of wgmmas of a warpgroup in a slice
    steps: int            # wgmmas of a sequence
    columns: int
    tf32: bool
    waits: bool           # a slice's multiplications end before the next slice's begin
    dummies: int          # HGMMA.64x8x16.F16 RZ in the whole kernel
    loops_of_copies: int  # BRA.U.ANY next to UTMALDG
    hasty_arrivals: int   # at a cluster's barrier while loads from other blocks may be under way
    unasked_barriers: int  # of a cluster, reached without a comparison of its size

    def wgmma_clocks(self):
        """Clocks of one wgmma: of the multiplications, or of reading its operands from shared memory."""
        macs = 64 * self.columns * (8 if self.tf32 else 16)
        rate = constants.TENSOR_MACS / (2 if self.tf32 else 1)
        return max(macs / rate, (64 + self.columns) * ROW_BYTES_OF_STEP / constants.SHARED_CLOCK_SM)

    def multiplication(self):
        """Clocks of tensor cores for a whole slice of all units."""
        return WARPGROUPS * self.products * self.steps * self.wgmma_clocks()

    def slice_of_consumers(self, products=None, steps=None):
        """Clocks of a slice of `products` sequences of `steps` wgmmas, all by default, in the warpgroups together. A warpgroup
        that waits for its multiplications issues nothing meanwhile; the other one may multiply then."""
        if products is None:
            products, steps = WARPGROUPS * self.products, self.steps
        working = min(WARPGROUPS, products)
        if working == 0:
            return 0
        multiplying = products * steps * self.wgmma_clocks()
        issuing = self.consumer.model * min(1, products / working / self.products)
        return max(multiplying, issuing + multiplying / working if self.waits else issuing)


def tile_of(name):
    """(kernel, {precision, shape, …}) of a demangled name; None for other kernels."""
    match = TILE.search(name)
    if match is None:
        return None
    precision, shape, major = (int(match[i]) for i in (2, 3, 4))
    return {"kernel": match[1], "precision": PRECISIONS[precision], "shape": SHAPES[shape], "major": MAJORS[major], "row_bytes": int(match[5])}


def label(tile):
    return f"{tile['kernel']} {tile['precision']} {tile['shape']} {tile['major']}{'' if tile['row_bytes'] == 128 else ' half rows'}"


def kinds_of(tile):
    """What slices can be: pairs have units on M and, in bfloat16, half rows (engine/cuda/tile/tensor_tile.h)."""
    if tile["precision"] == "tf32" and tile["shape"].startswith("rows"):
        return ("taps", "pairs")
    return ("pairs",) if tile["row_bytes"] == 64 else ("taps",)


def cost(steps):
    other = constants.LATENCY["other"]
    return Cost(clocks.clocks_of_turn(steps, lambda one: other, constants.TAKEN_BRANCH),
                clocks.clocks_of_turn(steps, lambda one: constants.LATENCY.get(one.name, other), constants.TAKEN_BRANCH))


def copies_in(steps):
    return sum(one.name == "UTMALDG" for one, _ in steps)


def producer(blocks, loop):
    """The turns of a slice with all its copies, and with as few as it may have."""
    def turn(sign):
        return flow.turn(blocks, loop, lambda one: (sign * (one.name == "UTMALDG"),))
    most, fewest = turn(1), turn(-1)
    return Producer(copies_in(most), cost(most), copies_in(fewest), cost(fewest))


def is_dummy(one):
    return one.opcode.startswith(DUMMY) and one.operands.startswith("RZ")


def waits_for_all(one):
    return is_dummy(one) or (one.opcode.startswith("WARPGROUP.DEPBAR") and one.operands.endswith("0x0"))


def product_of(one):
    return PRODUCT.match(one.opcode)


def whole_slice(blocks, loop):
    """The turn of a consumer whose wgmmas follow each other without a wait ("gsb0"), that of a slice with all steps."""
    def worth(one):
        if not product_of(one):
            return (0, 0)
        return (0, -1) if "gsb0" in one.operands else (1, 0)
    return flow.turn(blocks, loop, worth)


def wgmmas_in(steps):
    return sum(product_of(one) is not None for one, _ in steps)


def loops_of_copies(code):
    """Branches around a copy that repeat it for every thread of a warp."""
    copies = [one.address for one in code if one.name == "UTMALDG"]
    return sum(one.opcode == "BRA.U.ANY" and any((one.target() or one.address) <= at < one.address for at in copies) for one in code)


def loading_after_wait(one, loading):
    """Of the barriers that `loading` loads have set, those that are still busy when this instruction issues."""
    return frozenset(barrier for barrier in loading if not one.waits >> barrier & 1)


def hasty_arrivals(blocks):
    """UCGABAR_ARV that a thread may reach while a load from another block (LD: by a generic address) is under way, because no
    instruction has waited for the barrier that the load sets. The other block may then end, and its memory with it."""
    def after(one, loading):
        loading = loading_after_wait(one, loading)
        return loading | {one.writes} if one.name == "LD" else loading
    return len({one.address for one, loading in flow.states(blocks, frozenset(), after)
                if one.name == "UCGABAR_ARV" and loading_after_wait(one, loading)})


def results_of(one):
    """The registers that an instruction writes: those from its first operand on, as many as its opcode says it has bits for."""
    first, wide = RESULT.match(one.operands), WIDE.search(one.opcode)
    return [f"{first[1]}{int(first[2]) + i}" for i in range(int(wide[1]) // 32 if wide else 1)] if first else []


def unasked_barriers(blocks):
    """Barriers of the cluster that a thread may reach without having compared the number of the cluster's blocks. The state is
    the register that this number is in, "" if none. What depends on a predicate may overwrite this register, but neither loads nor
    compares for certain."""
    def compares(one, register):
        return "ISETP" in one.name and (BLOCKS_OF_CLUSTER in one.operands or (register and re.search(rf"\b{register}\b", one.operands)))

    def after(one, register):
        if compares(one, register) and not one.predicate:
            return None
        results = results_of(one)
        if BLOCKS_OF_CLUSTER in one.operands and results and not one.predicate:
            return results[0]
        return "" if register in results else register
    return len({one.address for one, _ in flow.states(blocks, "", after) if one.name.startswith("UCGABAR")})


def loops_of_kernel(name, part):
    """The Loops of a kernel with a producer; None for others. Raises ValueError if they are not found."""
    tile = tile_of(name)
    if tile is None or "UTMALDG" not in part or "USETMAXREG" not in part:
        return None
    code = listing.instructions(part)
    blocks = flow.blocks_of(code)
    loops = flow.loops_of(blocks)
    copying, multiplying = flow.outermost(blocks, loops, "UTMALDG"), flow.outermost(blocks, loops, "HGMMA")
    if not copying or not multiplying:
        raise ValueError(f"{label(tile)}: found {len(copying)} loops with UTMALDG and {len(multiplying)} with HGMMA, expected both")
    consumer = max((whole_slice(blocks, loop) for loop in multiplying), key=wgmmas_in)
    products = [product_of(one) for one, _ in consumer if product_of(one)]
    steps = tile["row_bytes"] // ROW_BYTES_OF_STEP
    if not products or len(products) % steps != 0:
        raise ValueError(f"{label(tile)}: a slice has {len(products)} HGMMA, expected a multiple of {steps}")
    return Loops(kernel=label(tile),
                 producers=dict.fromkeys(kinds_of(tile), max((producer(blocks, loop) for loop in copying), key=lambda one: one.of_most.model)),
                 consumer=cost(consumer), products=len(products) // steps, steps=steps, columns=int(products[0][1]),
                 tf32=tile["precision"] == "tf32", waits=any(waits_for_all(one) for one, _ in consumer),
                 dummies=sum(is_dummy(one) for one in code), loops_of_copies=loops_of_copies(code),
                 hasty_arrivals=hasty_arrivals(blocks), unasked_barriers=unasked_barriers(blocks))
