// Batch norm over a batch of which several processes compute a part each. It is composed of the ops of batch norm in one
// process: what remains to be computed between them is a few numbers per channel, on the host.
#include <cmath>

#include "engine/dist/communicator.h"
#include "engine/grad/functions/batch_norm.h"

namespace umbra {
namespace {

// What the processes know of a batch: a row of numbers per process, of which the first is its values per channel.
class Rows {
 public:
  Rows(Communicator& group, const std::vector<double>& own)
      : width_(own.size()), all_(group.gather(own)), count_(group.size()) {}
  std::int64_t count() const { return count_; }
  double at(std::int64_t row, std::size_t column) const {
    return all_[static_cast<std::size_t>(row) * width_ + column];
  }
  // The sum of a column in the order of the ranks.
  double sum(std::size_t column) const {
    double sum = 0;
    for (std::int64_t row = 0; row < count_; ++row) sum += at(row, column);
    return sum;
  }

 private:
  std::size_t width_;
  std::vector<double> all_;
  std::int64_t count_;
};

Tensor tensor_of(Context& context, const std::vector<double>& numbers, DType dtype) {
  const Tensor tensor = context.temporary({std::ssize(numbers)}, dtype);
  from_host(numbers, tensor, context.stream);
  return tensor;
}

// Joined into one list: [1 + a + b].
std::vector<double> joined_numbers(double first, const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> all{first};
  all.insert(all.end(), a.begin(), a.end());
  all.insert(all.end(), b.begin(), b.end());
  return all;
}

class SharedBatchNormFunction final : public Function {
 public:
  SharedBatchNormFunction(Communicator& group, const BatchNormState& state, BatchNormOptions options)
      : group_(group), state_(state), options_(options) {}
  std::string_view name() const override { return "shared_batch_norm"; }

  // saved: y if there is a ReLU, the mean and the variance of the whole batch.
  Tensor forward(Pass& pass, std::span<const Tensor> inputs, Saved& saved) const override {
    Context& context = pass.context;
    const BatchNormView v(inputs[0]);
    const DType dtype = inputs[0].dtype();
    saved = {Tensor(), context.temporary({v.channels}, dtype), context.temporary({v.channels}, dtype)};
    find_statistics(context, inputs, saved[1], saved[2]);
    const Tensor y = context.temporary_like(inputs[0]);
    call(context, BatchNormInference(dtype, v.outer, v.channels, v.inner, state_.epsilon, options_),
         {inputs[0], inputs[1], inputs[2], saved[1], saved[2], options_.residual ? inputs[3] : Tensor(), y});
    if (options_.relu) saved[0] = y;
    return y;
  }

  // As if the statistics were constants, and then the terms that come from them: with g the gradient after the ReLU,
  // dx = gamma invstd (g - sum g / n - xhat sum (g xhat) / n), where the sums are over the whole batch.
  std::vector<Tensor> backward(Context& context, const Tensor& dy, std::span<const Tensor> inputs,
                               const Saved& saved, const std::vector<bool>&) const override {
    const BatchNormView v(dy);
    const DType dtype = dy.dtype();
    std::vector<Tensor> grads{context.temporary_like(dy), context.temporary({v.channels}, dtype),
                              context.temporary({v.channels}, dtype)};  // dx, dgamma, dbeta
    if (options_.residual) grads.push_back(context.temporary_like(dy));
    const Tensor frozen = context.temporary_like(dy);
    call(context, BatchNormFrozenBackward(dtype, v.outer, v.channels, v.inner, state_.epsilon, options_),
         {dy, inputs[0], saved[0], inputs[1], saved[1], saved[2], frozen, grads[1], grads[2],
          options_.residual ? grads[3] : Tensor()});
    const auto channels = static_cast<std::size_t>(v.channels);
    const Rows sums(group_,
                    joined_numbers(static_cast<double>(v.outer * v.inner), to_host(grads[1], context.stream),
                                   to_host(grads[2], context.stream)));
    std::vector<double> scale = to_host(inputs[1], context.stream), shift(channels);
    const std::vector<double> variance = to_host(saved[2], context.stream);
    for (std::size_t c = 0; c < channels; ++c) {
      const double factor = -scale[c] / (std::sqrt(variance[c] + state_.epsilon) * sums.sum(0));
      scale[c] = factor * sums.sum(1 + c);
      shift[c] = factor * sums.sum(1 + channels + c);
    }
    call(context,
         BatchNormInference(dtype, v.outer, v.channels, v.inner, state_.epsilon,
                            {.relu = false, .residual = true}),
         {inputs[0], tensor_of(context, scale, dtype), tensor_of(context, shift, dtype), saved[1], saved[2],
          frozen, grads[0]});
    return grads;
  }

 private:
  // The mean and the biased variance of the whole batch (Chan, Golub & LeVeque 1983), from those of the parts. Updates
  // the running statistics.
  void find_statistics(Context& context, std::span<const Tensor> inputs, const Tensor& mean,
                       const Tensor& variance) const {
    const BatchNormView v(inputs[0]);
    const DType dtype = inputs[0].dtype();
    const auto channels = static_cast<std::size_t>(v.channels);
    const std::vector<double> zeros(channels, 0.0);
    const Tensor own_mean = tensor_of(context, zeros, dtype), own_variance = tensor_of(context, zeros, dtype);
    // With a momentum of 1 the running statistics become those of the part. Its other results are not used.
    call(
        context, BatchNormForward(dtype, v.outer, v.channels, v.inner, state_.epsilon, 1.0),
        {inputs[0], inputs[1], inputs[2], own_mean, own_variance, Tensor(), context.temporary_like(inputs[0]),
         context.temporary({v.channels}, dtype), context.temporary({v.channels}, dtype)});
    const Rows parts(group_,
                     joined_numbers(static_cast<double>(v.outer * v.inner), to_host(own_mean, context.stream),
                                    to_host(own_variance, context.stream)));
    const double n = parts.sum(0);
    std::vector<double> means(channels, 0.0), variances(channels, 0.0), running_mean, running_var;
    running_mean = to_host(state_.running_mean, context.stream);
    running_var = to_host(state_.running_var, context.stream);
    for (std::size_t c = 0; c < channels; ++c) {
      for (std::int64_t part = 0; part < parts.count(); ++part)
        means[c] += parts.at(part, 0) * parts.at(part, 1 + c) / n;
      double squares = 0;
      for (std::int64_t part = 0; part < parts.count(); ++part) {
        const double from_mean = parts.at(part, 1 + c) - means[c];
        squares += (parts.at(part, 0) - 1) * parts.at(part, 1 + channels + c) +
                   parts.at(part, 0) * from_mean * from_mean;
      }
      variances[c] = squares / n;
      running_mean[c] += state_.momentum * (means[c] - running_mean[c]);
      running_var[c] += state_.momentum * (squares / (n - 1) - running_var[c]);
    }
    from_host(means, mean, context.stream);
    from_host(variances, variance, context.stream);
    from_host(running_mean, state_.running_mean, context.stream);
    from_host(running_var, state_.running_var, context.stream);
  }

  Communicator& group_;
  BatchNormState state_;
  BatchNormOptions options_;
};

}  // namespace

std::shared_ptr<const Function> shared_batch_norm(Communicator& group, const BatchNormState& state,
                                                  BatchNormOptions options) {
  return std::make_shared<SharedBatchNormFunction>(group, state, options);
}

}  // namespace umbra
