#include "models/tasks/smf/standardised.h"

namespace umbra {

Tensor tensor_of(const std::vector<double>& numbers, Context& context) {
  Tensor tensor = allocate_tensor(context.device(), {static_cast<std::int64_t>(numbers.size())}, DType::kF32);
  from_host(numbers, tensor, context.stream);
  return tensor;
}

std::function<Var(Pass&, const Var& prediction, const Tensor& target)> standardised_mse(
    const std::vector<double>& scale, const std::vector<double>& shift, Context& context) {
  std::vector<double> inverse, back;
  for (std::size_t k = 0; k < scale.size(); ++k) {
    inverse.push_back(1 / scale[k]);
    back.push_back(-shift[k] / scale[k]);
  }
  const Tensor unscale = tensor_of(inverse, context), unshift = tensor_of(back, context);
  return [unscale, unshift](Pass& pass, const Var& prediction, const Tensor& target) {
    const Tensor z = affine(pass, constant(target), unscale, unshift)->value;
    return mean_squared_error(pass, affine(pass, prediction, unscale, unshift), z);
  };
}

}  // namespace umbra
