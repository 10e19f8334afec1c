"""Every number of the model that does not follow from the code. Tables of the model are comparable only if these numbers
are the same. None was fitted to a result of the model."""

# Clocks until an instruction frees the barriers for which others wait. "other" is the usual distance of dependent
# instructions; the floor takes it for all. Estimates, +-25 %, unless a source is given.
LATENCY = {
    "other": 8,
    "LDS": 30,      # shared memory: 29 to 33 (arXiv 2402.13499)
    "LDC": 45,      # constant bank
    "S2R": 25,      # special registers
    "S2UR": 25,
    "SYNCS": 26,    # mbarriers, which are in shared memory
    "R2UR": 12,     # from vector to uniform registers
    "UTMALDG": 16,  # until its operands have been read, not until the data arrive
    "LDG": 400,     # global memory
    "MUFU": 20,     # the quarter-rate unit: reciprocals and conversions
    "I2F": 20,
    "F2I": 20,
}
TAKEN_BRANCH = 8  # clocks after a branch that is taken, in addition to its stall

# The machine: H200 or GH200.
CLOCK_GHZ = 1.83        # with it NVIDIA's 989 TFLOP/s of dense bfloat16 are 132 SMs of 4096 FLOP per clock; less under load
MULTIPROCESSORS = 132   # data sheet
TENSOR_MACS = 2048      # multiplications of bfloat16 per clock and SM (data sheet); half as many of TF32
SHARED_CLOCK_SM = 128   # bytes per clock of shared memory: 32 banks of 4 bytes (CUDA programming guide)
HBM_TB_S = 4.3          # what a copy reads and writes, of 4.8 in the data sheet
L2_TB_S = 5.5           # reads from the second-level cache, measured on an H100 (chipsandcheese.com, 2023)
L2_MB = 50              # data sheet: what a launch moves beyond this comes from memory
L2_CLOCK_CHIP = 6154    # bytes per clock from the second-level cache to all SMs by TMA (DeepGEMM, heuristics/sm90.hpp)
L2_CLOCK_SM = 64        # and to one of them

# What a launch costs besides its work, in microseconds.
GAP = 1.3           # between dependent nodes of a graph on an H100 (Hazy Research, "Look Ma, No Bubbles!", 2025)
RAMP = 2.0          # the first instructions, the first bytes, the last stores: an estimate
CLUSTER_SUM = 2.25  # two arrivals with release semantics, which wait for all stores: 2 to 2.5, an estimate

# Clusters of so many blocks, one block per SM, that run at once. Of 8: 120 of 132 SMs (public reports for H100); of 2: SMs come
# in pairs; of others: what eight groups of 16 SMs hold (a chip has groups of 16 and 18). On a GPU
# `bench/machine cuda` prints them.
CLUSTERS = {1: 132, 2: 66, 3: 40, 4: 32, 5: 24, 6: 16, 7: 16, 8: 15}
