#include "engine/ops/gather_boxes/table.h"

#include "engine/ops/gather_boxes/reference.h"
#include "engine/ops/gather_boxes/shapes.h"

namespace umbra {

// In cpu_1_rows.cpp.
void gather_boxes_rows(const GatherBoxes&, Buffers, void*, Stream&);

std::vector<OpFamily> gather_boxes_families() {
  return {
      {"gather_boxes",
       {make_kernel<GatherBoxes, gather_boxes_reference<float>>("gather_boxes", "reference", DType::kF32),
        make_kernel<GatherBoxes, gather_boxes_reference<double>>("gather_boxes", "reference", DType::kF64),
        make_kernel<GatherBoxes, gather_boxes_rows>("gather_boxes", "cpu_1_rows", DType::kF32)},
       gather_boxes_problems},
  };
}

}  // namespace umbra
