#include "tools/predict/dataset_output.h"

#include <charconv>
#include <fstream>

#include "engine/io/atomic_file.h"
#include "engine/io/hdf5.h"
#include "models/tasks/dataset/classes.h"
#include "tools/predict/tasks.h"

namespace umbra {
namespace {

// Calls body(row of the file, its predictions).
template <class Body>
void for_each_sample(std::int64_t first, std::span<const double> predictions, std::int64_t outputs,
                     const Body& body) {
  const auto width = static_cast<std::size_t>(outputs);
  for (std::size_t i = 0; i * width < predictions.size(); ++i)
    body(first + static_cast<std::int64_t>(i), predictions.subspan(i * width, width));
}

// The values in their units, [samples, values].
std::vector<double> values_of(const DatasetFit& fit, std::span<const double> z) {
  const auto width = static_cast<std::size_t>(fit.values());
  std::vector<double> values;
  for (std::size_t i = 0; i < z.size(); ++i) values.push_back(fit.value(z[i], i % width));
  return values;
}

class Hdf5Output final : public DatasetOutput {
 public:
  Hdf5Output(const std::string& out, const OutputHead& head, const DatasetFit& fit)
      : head_(head), fit_(fit), file_(Hdf5File::create(out)) {
    if (fit.classes > 0) {
      file_.reserve<float>("probabilities", {head.count, fit.classes});
      file_.reserve<std::int64_t>("predicted", {head.count});
    } else {
      file_.reserve<double>("predicted", {head.count, fit.values()});
    }
    file_.set_attribute("/", "run", head.run);
    file_.set_attribute("/", "source", head.data);
  }

  void add(std::int64_t first, std::span<const double> predictions) override {
    if (fit_.classes == 0) return file_.write_rows<double>("predicted", first, values_of(fit_, predictions));
    std::vector<float> shares;
    std::vector<std::int64_t> labels;
    for_each_sample(first, predictions, fit_.classes, [&](std::int64_t, std::span<const double> logits) {
      const std::vector<double> of_sample = probabilities(logits);
      shares.insert(shares.end(), of_sample.begin(), of_sample.end());
      labels.push_back(likeliest(logits));
    });
    file_.write_rows<float>("probabilities", first, shares);
    file_.write_rows<std::int64_t>("predicted", first, labels);
  }

  void finish(const KnownTargets& targets) override {
    if (!head_.files.empty()) file_.write_texts("files", head_.files);
    if (!targets.labels.empty()) file_.write<std::int64_t>("targets", targets.labels);
    if (!targets.values.empty()) file_.write<double>("targets", targets.values, {head_.count, fit_.values()});
    if (!head_.parts.empty()) write_parts();
    for (const char* dataset : {"probabilities", "predicted", "targets"}) {
      if (!head_.names.empty() && file_.has(dataset))
        file_.set_attribute(dataset, fit_.classes > 0 ? "classes" : "target_names", head_.names);
    }
    file_.commit();
  }

 private:
  void write_parts() {
    std::vector<std::int64_t> split, validation;
    for (const SamplePart part : head_.parts) {
      split.push_back(part == SamplePart::kNew ? -1 : static_cast<std::int64_t>(part));
      validation.push_back(part == SamplePart::kValidation ? 1 : 0);
    }
    file_.write<std::int64_t>("split", split);
    file_.set_attribute("split", "meaning",
                        "0: trained on, 1: validated on, 2: test, 3: left out by data.inner_folds, "
                        "-1: not a sample of the run");
    file_.write<std::int64_t>("validation", validation);
    file_.set_attribute("validation", "meaning", "1: validated on");
  }

  OutputHead head_;
  const DatasetFit& fit_;
  Hdf5File file_;
};

// A field of CSV (RFC 4180), quoted if necessary.
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string field = "\"";
  for (const char c : text) field += c == '"' ? std::string("\"\"") : std::string(1, c);
  return field + "\"";
}

// Enough digits for the precision of a network's float after scaling.
std::string csv_number(double value) {
  constexpr int kDigits = 12;
  char buffer[40];
  return {buffer,
          std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::general, kDigits).ptr};
}

// In CSV, as a table of images names the parts.
const char* name_of(SamplePart part) {
  switch (part) {
    case SamplePart::kTraining:
      return "train";
    case SamplePart::kValidation:
      return "val";
    case SamplePart::kTest:
      return "test";
    case SamplePart::kNew:
      return "new";
    default:
      return "none";
  }
}

class CsvOutput final : public DatasetOutput {
 public:
  CsvOutput(const std::string& out, const OutputHead& head, const DatasetFit& fit)
      : head_(head), fit_(fit), file_(out), stream_(file_.temporary()) {
    stream_ << (head.files.empty() ? "row" : "row,file");
    if (fit.classes > 0) stream_ << (head.names.empty() ? ",predicted" : ",predicted,name");
    for (std::int64_t k = 0; k < fit.outputs(); ++k) {
      const std::string name =
          head.names.empty() ? std::to_string(k) : head.names[static_cast<std::size_t>(k)];
      const bool bare = fit.classes == 0 && !head.names.empty();
      stream_ << ',' << csv_field(bare ? name : (fit.classes > 0 ? "probability_" : "value_") + name);
    }
    stream_ << (head.parts.empty() ? "\n" : ",split\n");
  }

  void add(std::int64_t first, std::span<const double> predictions) override {
    for_each_sample(first, predictions, fit_.outputs(),
                    [&](std::int64_t row, std::span<const double> numbers) {
                      stream_ << row;
                      if (!head_.files.empty())
                        stream_ << ',' << csv_field(head_.files[static_cast<std::size_t>(row)]);
                      std::vector<double> columns;
                      if (fit_.classes == 0) columns = values_of(fit_, numbers);
                      if (fit_.classes > 0) {
                        const std::int64_t label = likeliest(numbers);
                        stream_ << ',' << label;
                        if (!head_.names.empty())
                          stream_ << ',' << csv_field(head_.names[static_cast<std::size_t>(label)]);
                        columns = probabilities(numbers);
                      }
                      for (const double number : columns) stream_ << ',' << csv_number(number);
                      if (!head_.parts.empty())
                        stream_ << ',' << name_of(head_.parts[static_cast<std::size_t>(row)]);
                      stream_ << '\n';
                    });
    check();
  }

  void finish(const KnownTargets&) override {
    stream_.close();
    check();
    file_.commit();
  }

 private:
  void check() {
    require(bool(stream_), "cannot write '", file_.target().string(), "': the disk may be full");
  }

  OutputHead head_;
  const DatasetFit& fit_;
  AtomicFile file_;
  std::ofstream stream_;
};

}  // namespace

std::unique_ptr<DatasetOutput> make_dataset_output(const std::string& out, const OutputHead& head,
                                                   const DatasetFit& fit) {
  if (is_csv(out)) return std::make_unique<CsvOutput>(out, head, fit);
  return std::make_unique<Hdf5Output>(out, head, fit);
}

}  // namespace umbra
