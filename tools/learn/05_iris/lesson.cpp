// Lesson 5: a network that classifies Fisher's irises: softmax, cross-entropy, honest accuracy.
#include "tools/learn/common/lesson.h"

#include <algorithm>
#include <cmath>

#include "data/tables/published/iris.h"
#include "engine/optim/optimizer.h"
#include "engine/runtime/backend.h"
#include "models/mlp.h"
#include "tools/learn/05_iris/exercises.h"
#include "tools/learn/common/tensors.h"

namespace umbra::learn {
namespace {

using Labels = std::vector<int>;
constexpr int kFolds = 10, kSeeds = 5, kGrid = 60;
constexpr double kLongest = 7.5, kWidest = 2.8;  // ends of the maps, in cm

struct Options {
  double learning_rate = 0.03;
  std::int64_t epochs = 300, hidden = 8, seed = 1;
  bool standardise = true;
  std::vector<Setting> settings() {
    return {{"learning_rate", "of Adam", &learning_rate, 1e-6, 10},
            {"epochs", "steps of a training; each uses all its flowers", &epochs, 1, 2000},
            {"hidden", "units of the hidden layer; 0: no hidden layer", &hidden, 0, 256},
            {"seed", "of the initial weights and of the folds", &seed, 0, 1e6},
            {"standardise", "whether lengths get mean 0 and variance 1", &standardise}};
  }
};

struct Flowers {
  Rows lengths;    // [N, F], in cm
  Labels species;  // [N]
};

// Flowers with these of their four lengths: those whose group is `group`, or with in = false, the others.
Flowers flowers(const std::vector<std::size_t>& columns, const Labels& groups = Labels(150), int group = 0,
                bool in = true) {
  Flowers found;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if ((groups[i] == group) != in) continue;
    found.lengths.emplace_back();
    for (const std::size_t j : columns) found.lengths.back().push_back(iris()[i].lengths[j]);
    found.species.push_back(iris()[i].species);
  }
  return found;
}

// A network in double precision for logits [N, 3] of flowers or, with one output, the number of the class.
struct Network {
  Network(Context& where, const Options& options, const Flowers& flowers, std::int64_t outputs = 3)
      : context(where), rate(options.learning_rate) {
    statistics = options.standardise ? mean_and_deviation(flowers.lengths) : Rows{Numbers(4), Numbers(4, 1)};
    input = standard(flowers.lengths);
    Build build{.dtype = DType::kF64, .seed = static_cast<std::uint64_t>(options.seed)};
    MlpOptions mlp{.batch_norm = false, .inputs = input->value.shape()[1], .outputs = outputs};
    mlp.hidden.assign(options.hidden > 0 ? 1 : 0, options.hidden);
    net = std::make_unique<Mlp>(build, mlp);
    adam = make_adam(net->parameters(), {});
  }

  // One step of training on all flowers; returns the loss before it.
  double step(const Labels& labels) {
    Tape tape(context);
    Pass pass{context, &tape, true};
    const Var z = net->forward(pass, input);
    const Var loss = z->value.shape()[1] > 1 ? softmax_cross_entropy(pass, z, tensor_of(context, labels))
                                             : mean_squared_error(pass, z, column_of(context, labels));
    tape.backward(loss);
    adam->step(context, rate);
    return to_host(loss->value, context.stream)[0];
  }
  Rows operator()(const Rows& lengths) const {
    Pass pass{context};
    return rows_of(context, net->forward(pass, standard(lengths))->value);
  }
  Var standard(const Rows& lengths) const {
    return constant(tensor_of(context, standardised(lengths, statistics)));
  }

  Context& context;
  double rate;
  Rows statistics;  // what standardises the lengths: mean, standard deviation
  Var input;
  std::unique_ptr<Mlp> net;
  std::unique_ptr<Optimizer> adam;
};

// The most probable class, or the nearest of the numbers 0, 1, 2.
int answer(const Numbers& output) {
  if (output.size() == 1) return static_cast<int>(std::clamp(std::lround(output[0]), 0L, 2L));
  return static_cast<int>(std::max_element(output.begin(), output.end()) - output.begin());
}

void teach_gradient(const Options& options, Context& context, Lesson& lesson) {
  lesson.heading("From logits to probabilities");
  const Flowers all = flowers({0, 1, 2, 3});
  const Rows logits = Network(context, options, all)(all.lengths);
  const Var z = constant(tensor_of(context, logits));
  z->needs_grad = true;
  Tape tape(context);
  Pass pass{context, &tape};
  tape.backward(softmax_cross_entropy(pass, z, tensor_of(context, all.species)));
  const Rows engine = rows_of(context, z->grad), formula = cross_entropy_gradient(logits, all.species);
  double difference = 0;
  for (std::size_t i = 0; i < 450; ++i)
    difference = std::max(difference, std::abs(engine[i / 3][i % 3] - formula[i / 3][i % 3]));
  lesson.record("first", {logits[0], softmax(logits[0]), engine[0]});
  lesson.claim_near("untrained loss, about log 3", cross_entropy(logits, all.species), std::log(3), 0.3);
  lesson.claim_less("the tape's gradient is (p - y) / N: largest difference", difference, 1e-15);
}

// Linear models that learn the number of the class as if it were a length, for three orders of the classes.
void teach_labels(Options options, Context& context, Lesson& lesson) {
  lesson.heading("Classes are not numbers: setosa, versicolor, virginica as");
  options.hidden = 0;
  Numbers right;
  for (const Labels& order : {Labels{0, 1, 2}, Labels{1, 0, 2}, Labels{0, 2, 1}}) {
    Flowers all = flowers({0, 1, 2, 3});
    for (int& species : all.species) species = order[static_cast<std::size_t>(species)];
    Network net(context, options, all, 1);
    for (int step = 0; step < 2000; ++step) net.step(all.species);
    const Rows outputs = net(all.lengths);
    right.push_back(0);
    for (std::size_t i = 0; i < 150; ++i) right.back() += (answer(outputs[i]) == all.species[i]) / 150.0;
    lesson.say("numbers %d, %d, %d: %.1f %% right", order[0], order[1], order[2], 100 * right.back());
  }
  lesson.record("numbers/right", right);
  lesson.claim_less("share right if setosa gets the number in the middle", right[1], 0.6);
}

// Ten trainings, each without a fold, whose flowers it then classifies. Returns the answers of all, and adds
// the mean losses before each epoch to `train` and `held_out`.
Labels validate(const Options& options, Context& context, Numbers& train, Numbers& held_out) {
  const Labels fold =
      stratified_folds(flowers({0}).species, kFolds, static_cast<std::uint64_t>(options.seed));
  Labels answers(150);
  for (int f = 0; f < kFolds; ++f) {
    const Flowers training = flowers({0, 1, 2, 3}, fold, f, false), rest = flowers({0, 1, 2, 3}, fold, f);
    Network net(context, options, training);
    for (std::size_t e = 0; e < train.size(); ++e) {
      held_out[e] += cross_entropy(net(rest.lengths), rest.species) / kFolds / kSeeds;
      train[e] += net.step(training.species) / kFolds / kSeeds;
    }
    const Rows logits = net(rest.lengths);
    for (std::size_t i = 0, k = 0; i < 150; ++i) {
      if (fold[i] == f) answers[i] = answer(logits[k++]);
    }
  }
  return answers;
}

void teach_validation(Options options, Context& context, Lesson& lesson) {
  lesson.heading("Ten-fold cross-validation, five seeds");
  Numbers train(static_cast<std::size_t>(options.epochs)), held_out(train), wrong(150), always;
  Rows confusion(3, Numbers(3)), right;  // [species, answer]; [seed, 1]
  for (int s = 0; s < kSeeds; ++s, ++options.seed) {
    const Labels answers = validate(options, context, train, held_out);
    right.push_back({0});
    for (std::size_t i = 0; i < 150; ++i) {
      confusion[i / 50][static_cast<std::size_t>(answers[i])] += 1;
      wrong[i] += answers[i] != iris()[i].species;
      right.back()[0] += (answers[i] == iris()[i].species) / 150.0;
      if (wrong[i] == kSeeds) always.push_back(static_cast<double>(i + 1));
    }
    lesson.say("seed %d: %.1f %% right", static_cast<int>(options.seed), 100 * right.back()[0]);
  }
  const double mean = mean_and_deviation(right)[0][0], n = kSeeds;
  const double scatter = mean_and_deviation(right)[1][0] * std::sqrt(n / (n - 1));
  for (const Numbers& row : confusion) lesson.say("answers: %5.0f %5.0f %5.0f", row[0], row[1], row[2]);
  for (const double flower : always) lesson.say("flower %.0f is wrong with every seed", flower);
  const auto best = std::min_element(held_out.begin(), held_out.end());
  lesson.record("right", right);
  lesson.record("right/summary", Numbers{mean, scatter, std::sqrt(mean * (1 - mean) / 150)});
  lesson.record("confusion", confusion);
  lesson.record("always_wrong", always);
  lesson.record("curves", {train, held_out});
  lesson.record("best", {static_cast<double>(best - held_out.begin()), *best, held_out.back()});
  Figure figure("", {"epochs of training"}, {"cross-entropy per flower", true});
  figure.line("training", counted(train.size()), train).line("held-out", counted(train.size()), held_out);
  lesson.figure("curves", figure, "Both fall from 1.1; later the held-out one turns and rises.");
  lesson.claim_less("at least 95 % right in the mean: share of wrong answers", 1 - mean, 0.05);
  lesson.claim_less("1.2 times the lowest held-out loss is below the last", 1.2 * *best, held_out.back());
}

void draw(const Rows& answers, const std::string& name, Lesson& lesson) {
  std::vector<Labels> regions;
  for (const Numbers& row : answers) regions.emplace_back(row.begin(), row.end());
  Figure figure("", {"petal length in cm", false, 0, kLongest}, {"petal width in cm", false, 0, kWidest});
  figure.regions(regions, 0, kLongest, 0, kWidest);
  for (int species = 0; species < 3; ++species) {
    Numbers x, y;
    for (const Iris& flower : iris()) {
      if (flower.species == species) x.push_back(flower.lengths[2]), y.push_back(flower.lengths[3]);
    }
    figure.points(std::string(kIrisSpecies[static_cast<std::size_t>(species)]), x, y);
  }
  lesson.figure(name, figure, "Flowers as dots; in paler colours, the species that the network answers.");
}

// A network that sees only the petals, so that its answers can be drawn. It learns from all flowers.
void teach_regions(const Options& options, Context& context, Lesson& lesson) {
  lesson.heading("Regions of the petal plane");
  const Flowers petals = flowers({2, 3});
  Network net(context, options, petals);
  record(lesson, "start", context, net.net->parameters());
  Numbers losses, shown;
  Rows answers;
  for (std::int64_t e = 0; e <= options.epochs; ++e) {
    losses.push_back(cross_entropy(net(petals.lengths), petals.species));
    if (e == options.epochs / 30 || e == options.epochs / 10 || e == options.epochs) {
      for (int row = 0; row < kGrid; ++row) {
        Rows points;
        for (int k = 0; k < kGrid; ++k)
          points.push_back({kLongest * (k + 0.5) / kGrid, kWidest * (row + 0.5) / kGrid});
        answers.emplace_back();
        for (const Numbers& logits : net(points)) answers.back().push_back(answer(logits));
      }
      shown.push_back(static_cast<double>(e));
      draw({answers.end() - kGrid, answers.end()}, "regions_" + std::to_string(shown.size()), lesson);
    }
    if (e < options.epochs) net.step(petals.species);
  }
  record(lesson, "end", context, net.net->parameters());
  lesson.record("petals", petals.lengths);
  lesson.record("petals/statistics", net.statistics);
  lesson.record("petals/loss", losses);
  lesson.record("regions", answers);
  lesson.record("regions/epochs", shown);
  lesson.record("regions/ends", Numbers{kLongest, kWidest});
}

}  // namespace
}  // namespace umbra::learn

int main(int argc, char** argv) {
  using namespace umbra::learn;
  Options options;
  return run_lesson(argc, argv, "05_iris", options.settings(), [&](Lesson& lesson) {
    const umbra::Registry registry = umbra::make_registry();
    umbra::Context context(registry, umbra::parse_device("cpu"));
    teach_gradient(options, context, lesson);
    teach_labels(options, context, lesson);
    teach_validation(options, context, lesson);
    teach_regions(options, context, lesson);
  });
}
