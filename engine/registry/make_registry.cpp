// Every op of umbra. An op that is not listed here cannot be run.
#include "engine/ops/adam/table.h"
#include "engine/ops/add/table.h"
#include "engine/ops/affine/table.h"
#include "engine/ops/batch_norm/table.h"
#include "engine/ops/batch_norm_relu/table.h"
#include "engine/ops/bias/table.h"
#include "engine/ops/chi2/table.h"
#include "engine/ops/conv/table.h"
#include "engine/ops/conv_inference/table.h"
#include "engine/ops/dropout/table.h"
#include "engine/ops/gather_boxes/table.h"
#include "engine/ops/gradient_norm/table.h"
#include "engine/ops/linear/table.h"
#include "engine/ops/max_pool/table.h"
#include "engine/ops/mean_pool/table.h"
#include "engine/ops/mse/table.h"
#include "engine/ops/peak/table.h"
#include "engine/ops/reduce/table.h"
#include "engine/ops/relu/table.h"
#include "engine/ops/scale/table.h"
#include "engine/ops/sgd/table.h"
#include "engine/ops/softmax_cross_entropy/table.h"
#include "engine/ops/stem3d/table.h"
#include "engine/ops/transpose/table.h"
#include "engine/registry/register_cuda.h"
#include "engine/registry/registry.h"

namespace umbra {

Registry make_registry() {
  Registry registry;
  for (auto families : {conv_families,         conv_inference_families,
                        linear_families,       relu_families,
                        add_families,          bias_families,
                        batch_norm_families,   batch_norm_relu_families,
                        max_pool_families,     mean_pool_families,
                        dropout_families,      softmax_cross_entropy_families,
                        mse_families,          chi2_families,
                        affine_families,       reduce_families,
                        scale_families,        sgd_families,
                        adam_families,         transpose_families,
                        stem3d_families,       gather_boxes_families,
                        gradient_norm_families, peak_families}) {
    for (const OpFamily& family : families()) registry.add(family);
  }
  register_cuda(registry);
  return registry;
}

}  // namespace umbra
