#include "models/um_halos.h"

#include "engine/nn/init.h"

namespace umbra {
namespace {

constexpr double kImpossible = -100;  // added to a logit: P = exp(-100)
// Of the initial weights of the background, relative to other layers. Its exp makes a few boxes far too rich otherwise,
// and their chi^2 is what the first epochs would learn from.
constexpr double kOfBackground = 0.1;
// The largest log of the background relative to its mean. Without a limit a sub-box unlike all others, or a list longer
// than any of the training, could have any number of galaxies.
constexpr double kMostBackground = 4;

}  // namespace

std::vector<Setting> UmHalosOptions::settings() {
  return {
      {"model.hidden", "units of every hidden layer", &hidden, 1, 4096},
      {"model.embedding",
       "numbers that are averaged over the halos of a sub-box; 0: no halo knows of the others", &embedding, 0,
       4096},
      {"model.layers", "hidden layers from a halo and the summary of its sub-box to the probabilities",
       &layers, 1, 64},
      {"model.dropout", "probability of dropping a hidden unit of the summary of a sub-box", &dropout, 0,
       0.99},
  };
}

std::unique_ptr<Module> UmHalosOptions::make(Build& build, const SampleShape& shape) const {
  const Shape& in = shape.input;
  require(shape.list && in.rank() == 2 && shape.outputs % (in[0] + 1) == 0,
          "model.name=um_halos takes lists of halos, but these are inputs of shape ", in,
          "; set data.input=halos");
  UmHalosOptions options = *this;
  options.parameters = shape.parameters;
  options.features = in[1] - shape.parameters - kListColumns;
  options.bins = shape.outputs / (in[0] + 1) - 1;
  options.background = shape.background;
  return std::make_unique<UmHalos>(build, options);
}

std::unique_ptr<Model> um_halos_model() {
  return std::make_unique<ModelOf<UmHalosOptions>>();
}

UmHalos::UmHalos(Build& build, const UmHalosOptions& o) : options_(o) {
  require(o.hidden > 0 && o.layers > 0 && o.features > 0 && o.parameters > 0 && o.bins > 0,
          "um_halos: units, layers, features, parameters and bins must be positive");
  const auto fc = [&](const std::string& name, std::int64_t in, std::int64_t out, bool bias = true,
                      double scale = 1) {
    return add_child(name, std::make_shared<Linear>(build, in, out, bias, scale));
  };
  if (o.embedding > 0) {
    embed1_ = fc("embed1", o.features, o.hidden);
    embed2_ = fc("embed2", o.hidden, o.embedding);
  }
  summary1_ = fc("summary1", o.embedding + o.parameters, o.hidden);
  summary2_ = fc("summary2", o.hidden, o.hidden);
  background_ = fc("background", o.hidden, o.bins + 1, true, kOfBackground);
  of_halo_ = fc("head0_halo", o.features, o.hidden);
  of_box_ = fc("head0_box", o.hidden, o.hidden, false);
  for (std::int64_t layer = 1; layer < o.layers; ++layer)
    head_.push_back(fc(concat("head", layer), o.hidden, o.hidden));
  head_.push_back(fc(concat("head", o.layers), o.hidden, o.bins + 1));
  make_constants(build);
}

void UmHalos::make_constants(Build& build) {
  const std::int64_t bins = options_.bins;
  require(options_.background.empty() || std::ssize(options_.background) == bins,
          "um_halos: a background of ", bins, " bins is expected, not of ", options_.background.size());
  no_galaxy_ = constant_tensor(build, {bins + 1, 1}, kImpossible);
  minus_ = constant_tensor(build, {bins + 1}, -1);
  limit_ = constant_tensor(build, {bins + 1}, kMostBackground);
  offset_ = constant_tensor(build, {bins + 1}, kMostBackground);
  std::vector<double> offsets;
  for (const double log : options_.background) offsets.push_back(log + kMostBackground);
  Stream stream(build.device);
  from_host(std::vector<double>{0}, no_galaxy_.elements(bins, 1), stream);
  if (!offsets.empty()) from_host(offsets, offset_.elements(0, bins), stream);
  stream.synchronize();
}

// [N, hidden]
Var UmHalos::summary(Pass& pass, const Var& halos, const Var& parameters, const Var& share) {
  const Shape& s = share->value.shape();                               // [N, rows, 1]
  Var box = reduce_axes(pass, parameters, AxisReduction::kMean, {1});  // [N, parameters], of equal numbers
  if (embed1_) {
    const std::int64_t width = options_.embedding;
    Var e = silu(pass, embed1_->forward(pass, halos));
    e = silu(pass, embed2_->forward(pass, e));  // [N rows, width]
    const Var shares = expand(pass, reshape(pass, share, {s[0] * s[1]}), 1, width);
    e = reshape(pass, mul(pass, e, shares), {s[0], s[1], width});
    box = concatenate(pass, {reduce_axes(pass, e, AxisReduction::kSum, {1}), box}, 1);
  }
  box = dropout(pass, silu(pass, summary1_->forward(pass, box)), options_.dropout);
  return dropout(pass, silu(pass, summary2_->forward(pass, box)), options_.dropout);
}

// [N, bins + 1]
Var UmHalos::background(Pass& pass, const Var& summary) {
  const Var below_limit = relu(pass, affine(pass, background_->forward(pass, summary), minus_, limit_));
  return affine(pass, below_limit, minus_, offset_);
}

Var UmHalos::forward(Pass& pass, const Var& x) {
  const Shape& s = x->value.shape();
  const std::int64_t boxes = s[0], rows = s[1], all = boxes * rows, classes = options_.bins + 1;
  const std::vector<Var> parts = split(pass, x, {options_.features, options_.parameters, 1, 1}, 2);
  const Var halos = reshape(pass, parts[0], {all, options_.features});
  const Var box = summary(pass, halos, parts[1], parts[2]);
  const Var of_box = expand(pass, of_box_->forward(pass, box), 1, rows);  // [N, rows, hidden]
  Var h = add(pass, of_halo_->forward(pass, halos), reshape(pass, of_box, {all, options_.hidden}));
  for (const std::shared_ptr<Linear>& layer : head_) h = layer->forward(pass, silu(pass, h));
  const Var absent = reshape(pass, parts[3], {all, 1});
  h = log_softmax(pass, add(pass, h, linear(pass, absent, constant(no_galaxy_), nullptr)), 1);
  const Var rest = background(pass, box);
  h = concatenate(pass, {reshape(pass, h, {boxes, rows, classes}), reshape(pass, rest, {boxes, 1, classes})},
                  1);
  return reshape(pass, h, {boxes, (rows + 1) * classes});
}

}  // namespace umbra
