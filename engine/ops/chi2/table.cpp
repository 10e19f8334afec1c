#include "engine/ops/chi2/table.h"

#include "engine/ops/chi2/reference.h"
#include "engine/ops/chi2/shapes.h"

namespace umbra {

// In cpu_1_rows.cpp.
void chi2_linear_rows(const Chi2Linear&, Buffers, void*, Stream&);
std::size_t chi2_linear_workspace(const Chi2Linear&);
void chi2_log_rows(const Chi2Log&, Buffers, void*, Stream&);
std::size_t chi2_log_workspace(const Chi2Log&);

std::vector<OpFamily> chi2_families() {
  return {
      {"chi2_linear",
       {make_kernel<Chi2Linear, chi2_linear_reference<float>>("chi2_linear", "reference", DType::kF32),
        make_kernel<Chi2Linear, chi2_linear_reference<double>>("chi2_linear", "reference", DType::kF64),
        make_kernel<Chi2Linear, chi2_linear_rows, nullptr, chi2_linear_workspace>("chi2_linear", "cpu_1_rows",
                                                                                  DType::kF32)},
       chi2_linear_problems},
      {"chi2_log",
       {make_kernel<Chi2Log, chi2_log_reference<float>>("chi2_log", "reference", DType::kF32),
        make_kernel<Chi2Log, chi2_log_reference<double>>("chi2_log", "reference", DType::kF64),
        make_kernel<Chi2Log, chi2_log_rows, nullptr, chi2_log_workspace>("chi2_log", "cpu_1_rows",
                                                                         DType::kF32)},
       chi2_log_problems},
  };
}

}  // namespace umbra
