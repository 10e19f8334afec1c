// Losses that are a sum of one term per number, for predictions and targets of a few hundred numbers: one
// block, in which every thread adds the terms of every kLossThreads-th number in double, and a sum over the
// block. One launch computes the loss and its gradient. Correct for any size, fast for small ones.
#pragma once

#include "engine/cuda/tile/block_fold.h"
#include "engine/runtime/stream.h"

namespace umbra {

inline constexpr unsigned kLossThreads = 512;

/// A number adds value / terms to the loss, whose derivative is gradient / terms.
struct LossTerm {
  double value, gradient;
};

// p, t, dp: [N, K]; loss: [1]
template <class Term>
__global__ void __launch_bounds__(kLossThreads)
    loss_block(Term term, const float* p, const float* t, float* loss, float* dp, std::int64_t count,
               std::int64_t columns, double terms) {
  double sum = 0;
  for (std::int64_t i = threadIdx.x; i < count; i += kLossThreads) {
    const LossTerm one = term(p[i], t[i], i % columns);
    sum += one.value;
    dp[i] = static_cast<float>(one.gradient / terms);
  }
  sum = block_sum(sum, &shared_memory<double>());
  if (threadIdx.x == 0) *loss = static_cast<float>(sum / terms);
}

/// `term` is a struct with  __device__ LossTerm operator()(double p, double t, std::int64_t column) const.
template <class Term>
void launch_loss(const Term& term, const Stream& stream, const float* p, const float* t, float* loss,
                 float* dp, std::int64_t rows, std::int64_t columns, double terms) {
  const Grid grid{{1}, {kLossThreads}, kLossThreads / kWarp * sizeof(double)};
  launch(loss_block<Term>, grid, stream.native(), term, p, t, loss, dp, rows * columns, columns, terms);
}

}  // namespace umbra
