// A number of umbra's engine, to write scalar expressions with: a tensor with one element that a tape follows.
#pragma once

#include "engine/grad/functions.h"

namespace umbra::learn {

struct EngineNumber {
  Pass* pass;
  Var var;
  friend EngineNumber operator+(const EngineNumber& a, const EngineNumber& b) {
    return {a.pass, umbra::add(*a.pass, a.var, b.var)};
  }
  friend EngineNumber operator*(const EngineNumber& a, const EngineNumber& b) {
    return {a.pass, umbra::mul(*a.pass, a.var, b.var)};
  }
  friend EngineNumber tanh(const EngineNumber& a) { return {a.pass, umbra::tanh(*a.pass, a.var)}; }
};

/// The gradient at `x` of `f`, a function of a vector of EngineNumber, by umbra's tape in double precision.
template <class F>
std::vector<double> engine_gradient(const F& f, const std::vector<double>& x) {
  const Registry registry = make_registry();
  Context context(registry, {});
  Tape tape(context);
  Pass pass{context, &tape};
  std::vector<EngineNumber> inputs;
  for (const double value : x) {
    inputs.push_back({&pass, constant(allocate_tensor(context.device(), {1}, DType::kF64))});
    inputs.back().var->value.values<double>()[0] = value;
    inputs.back().var->needs_grad = true;
  }
  tape.backward(f(inputs).var);
  std::vector<double> gradient;
  for (const EngineNumber& input : inputs) gradient.push_back(input.var->grad.values<double>()[0]);
  return gradient;
}

}  // namespace umbra::learn
