// A build with CUDA kernels: the CUDA rungs of every op.
#include "engine/registry/register_cuda.h"

#include "engine/ops/adam/table_cuda.h"
#include "engine/ops/add/table_cuda.h"
#include "engine/ops/affine/table_cuda.h"
#include "engine/ops/batch_norm/table_cuda.h"
#include "engine/ops/batch_norm_relu/table_cuda.h"
#include "engine/ops/bias/table_cuda.h"
#include "engine/ops/chi2/table_cuda.h"
#include "engine/ops/conv/table_cuda.h"
#include "engine/ops/conv_inference/table_cuda.h"
#include "engine/ops/dropout/table_cuda.h"
#include "engine/ops/gather_boxes/table_cuda.h"
#include "engine/ops/gradient_norm/table_cuda.h"
#include "engine/ops/linear/table_cuda.h"
#include "engine/ops/max_pool/table_cuda.h"
#include "engine/ops/mean_pool/table_cuda.h"
#include "engine/ops/mse/table_cuda.h"
#include "engine/ops/peak/table_cuda.h"
#include "engine/ops/reduce/table_cuda.h"
#include "engine/ops/relu/table_cuda.h"
#include "engine/ops/scale/table_cuda.h"
#include "engine/ops/sgd/table_cuda.h"
#include "engine/ops/softmax_cross_entropy/table_cuda.h"
#include "engine/ops/stem3d/table_cuda.h"
#include "engine/ops/transpose/table_cuda.h"
#include "engine/registry/registry.h"

namespace umbra {

void register_cuda(Registry& registry) {
  for (auto families : {
           adam_cuda_families,
           add_cuda_families,
           affine_cuda_families,
           batch_norm_cuda_families,
           batch_norm_relu_cuda_families,
           bias_cuda_families,
           chi2_cuda_families,
           conv_cuda_families,
           conv_inference_cuda_families,
           dropout_cuda_families,
           gather_boxes_cuda_families,
           gradient_norm_cuda_families,
           linear_cuda_families,
           max_pool_cuda_families,
           mean_pool_cuda_families,
           mse_cuda_families,
           peak_cuda_families,
           reduce_cuda_families,
           relu_cuda_families,
           scale_cuda_families,
           sgd_cuda_families,
           softmax_cross_entropy_cuda_families,
           stem3d_cuda_families,
           transpose_cuda_families,
       }) {
    for (const OpFamily& family : families()) registry.add(family);
  }
}

}  // namespace umbra
