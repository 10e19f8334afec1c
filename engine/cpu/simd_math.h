// simd.h with exponentials and logarithms. As that one, on purpose without an include guard.
#include "engine/cpu/simd.h"
// behind it, because it chooses the target:
#include <hwy/contrib/math/math-inl.h>
