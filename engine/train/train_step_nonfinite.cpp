// TrainStep: what happens when a loss or gradient is not finite.
#include <cmath>
#include <sstream>

#include "engine/ops/reduce/op.h"
#include "engine/train/train_step.h"

namespace umbra {
namespace {

// The tensors of a call, copied to the host one by one.
class Copied final : public HostBuffers {
 public:
  Copied(std::span<const Tensor> tensors, Stream& stream) : tensors_(tensors), stream_(stream) {}
  std::vector<double> numbers(std::size_t buffer) const override {
    return to_host(tensors_[buffer], stream_);
  }

 private:
  std::span<const Tensor> tensors_;
  Stream& stream_;
};

// The first op of a repeated step whose result is not finite.
struct Culprit {
  std::int64_t call = 0;     // its number among the calls of ops; 0: there was none
  std::string name, reason;  // what it is and, if known, why
};

// The one of the processes that came first; its name ends with that of the process.
Culprit first_of_all(const Communicator& world, std::vector<std::string> texts) {
  Culprit first;
  for (int rank = 0; rank < world.size(); ++rank) {
    std::istringstream in(texts[static_cast<std::size_t>(rank)]);
    Culprit own;
    in >> own.call;
    in.get();
    std::getline(in, own.name);
    std::getline(in, own.reason);
    if (own.call == 0 || (first.call != 0 && own.call >= first.call)) continue;
    first = own;
    first.name += " on " + world.name_of(rank);
  }
  return first;
}

}  // namespace

void TrainStep::guard(std::int64_t step, Slot& s) {
  const double loss = totals(s).loss, norm = s.norm.values<double>()[0];
  if (std::isfinite(loss) && std::isfinite(norm)) return;
  if (!s.replayed) explain_nonfinite(step, s);
  fail("training stopped at step ", step, " of epoch ", step / training_.batches_per_epoch(),
       ": the loss is ", loss, " and the gradient norm ", norm, " (learning rate ", s.learning_rate,
       "). The last checkpoint is untouched; continue from it with train.graph=off to find the first op "
       "whose result is not finite");
}

// Repeats the step and examines every output of every op. It is the same step because the parameters have not
// been updated. The network is not used afterwards. Several processes repeat it together.
void TrainStep::explain_nonfinite(std::int64_t step, Slot& s) {
  Culprit culprit;
  std::int64_t calls = 0;
  const std::vector<Parameter> parameters = network_.parameters();
  Context examiner(context_.registry, context_.device());
  const auto examine = [&](const Op& op, const Kernel& kernel, std::span<const Tensor> tensors, double) {
    ++calls;
    const std::vector<BufferSpec> specs = op.buffers();
    std::string bad, read;
    for (std::size_t i = 0; i < specs.size(); ++i) {
      const bool real = specs[i].dtype == DType::kF32 || specs[i].dtype == DType::kF64;
      if (culprit.call != 0 || specs[i].count == 0) continue;
      if (specs[i].access != Access::kIn && real) {
        const Tensor count = examiner.temporary({1}, DType::kI64);
        call(examiner, CountNonfinite(specs[i].dtype, specs[i].count), {tensors[i], count});
        const double found = to_host(count, examiner.stream)[0];
        if (found > 0 && bad.empty())
          bad = concat(found, " of ", specs[i].count, " elements of ", specs[i].name);
      }
      for (const Parameter& p : parameters) {
        if (p.var->is_at(tensors[i].data()))
          read += concat(read.empty() ? ", reading parameter " : ", ", p.name);
      }
    }
    if (bad.empty()) return;
    culprit = {calls, concat(op.name(), " (", op.text(), ", rung ", kernel.rung, "): ", bad, read),
               op.why_not_finite(Copied(tensors, examiner.stream))};
  };
  for (const Parameter& p : parameters) p.grad() = {};
  context_.observer = examine;
  compute(step);
  if (options_.parallel != nullptr) {
    Communicator& world = options_.parallel->world();
    culprit =
        first_of_all(world, world.gather(concat(culprit.call, " ", culprit.name, "\n", culprit.reason)));
  }
  throw SharedError(
      concat("training stopped at step ", step, " of epoch ", step / training_.batches_per_epoch(),
             ": the loss is ", totals(s).loss, " and the gradient norm ", s.norm.values<double>()[0],
             " (learning rate ", s.learning_rate, "). The first op with a result that is not finite is ",
             culprit.call == 0 ? "not reproducible" : culprit.name,
             culprit.reason.empty() ? "" : ", because ", culprit.reason, ". The last checkpoint is untouched",
             culprit.reason.empty() ? "; a lower learning rate or train.clip may help" : ""));
}

}  // namespace umbra
