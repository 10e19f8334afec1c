// simd.h with exponentials and logarithms. Like simd.h, it has no include guard on purpose.
#include "engine/cpu/simd.h"
// after simd.h, which chooses the target:
#include <hwy/contrib/math/math-inl.h>
