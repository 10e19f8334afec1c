#include "bench/peers/cudnn_graph.h"

namespace umbra {
namespace {

using Extents = std::vector<std::int64_t>;

bool is_flat(const ConvGeometry& g) {
  return g.in[0] == 1 && g.kernel[0] == 1 && g.stride[0] == 1 && g.padding[0] == 0;
}

/// The last two numbers for a convolution in two dimensions, all three otherwise.
Extents spatial(const ConvGeometry& g, const Triple& t) {
  return is_flat(g) ? Extents{t[1], t[2]} : Extents{t[0], t[1], t[2]};
}

// Extents are listed as [outer, C, D, H, W]; in memory C is innermost.
CudnnDescriptor channels_last(std::int64_t name, std::int64_t outer, std::int64_t channels,
                              const Extents& space, DType type) {
  Extents extents{outer, channels}, strides(2 + space.size());
  extents.insert(extents.end(), space.begin(), space.end());
  std::int64_t stride = channels;
  for (std::size_t a = extents.size() - 1; a >= 2; --a) {
    strides[a] = stride;
    stride *= extents[a];
  }
  strides[0] = stride;
  strides[1] = 1;
  CudnnDescriptor tensor(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  tensor.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, name)
      .set(CUDNN_ATTR_TENSOR_DATA_TYPE, type == DType::kBf16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT)
      .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, std::int64_t{16})
      .set(CUDNN_ATTR_TENSOR_DIMENSIONS, extents)
      .set(CUDNN_ATTR_TENSOR_STRIDES, strides)
      .finalize();
  return tensor;
}

CudnnDescriptor convolution_of(const ConvGeometry& g) {
  const Extents padding = spatial(g, g.padding);
  CudnnDescriptor convolution(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  convolution.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT)
      .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION)
      .set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, static_cast<std::int64_t>(padding.size()))
      .set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, padding)
      .set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, padding)
      .set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, spatial(g, g.stride))
      .set(CUDNN_ATTR_CONVOLUTION_DILATIONS, Extents(padding.size(), 1))
      .finalize();
  return convolution;
}

/// The names of the operation of each pass and of its attributes.
struct PassNames {
  cudnnBackendDescriptorType_t operation;
  cudnnBackendAttributeName_t x, w, y, convolution, alpha, beta;
};
constexpr PassNames kPassNames[] = {
    {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
     CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
     CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
     CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA},
    {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA},
    {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA},
};

}  // namespace

CudnnGraph::CudnnGraph(const ConvOp& op, ConvPass pass, DType result, const CudnnTarget& target)
    : output(result) {
  const ConvGeometry& g = op.geometry;
  const PassNames& names = kPassNames[static_cast<int>(pass)];
  const DType operand = cudnn_operand(op.precision);
  const auto type = [&](ConvPass writer) { return pass == writer ? output : operand; };
  x = channels_last(kX, g.batch, g.in_channels, spatial(g, g.in), type(ConvPass::kDgrad));
  w = channels_last(kW, g.out_channels, g.in_channels, spatial(g, g.kernel), type(ConvPass::kWgrad));
  y = channels_last(kY, g.batch, g.out_channels, spatial(g, g.out()), type(ConvPass::kFprop));
  convolution = convolution_of(g);
  operation = CudnnDescriptor(names.operation);
  operation.set(names.x, x)
      .set(names.w, w)
      .set(names.y, y)
      .set(names.convolution, convolution)
      .set(names.alpha, 1.0f)
      .set(names.beta, 0.0f)
      .finalize();
  graph = CudnnDescriptor(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operation);
  if (target.handle != nullptr) graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, target.handle);
  graph.finalize();
}

}  // namespace umbra
