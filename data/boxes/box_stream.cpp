#include "data/boxes/box_stream.h"

#include <algorithm>
#include <set>
#include <string>

#include "engine/base/error.h"

namespace umbra {
namespace {

constexpr std::int64_t kGroupNumbers = std::int64_t{1} << 23;  // numbers in the inputs of a group; 32 MiB
constexpr std::int64_t kBatch = 64;                            // a group has whole batches if it can
constexpr std::int64_t kMostBoxes = std::int64_t{1} << 27;     // their mass functions must fit into memory

std::set<std::string> columns_for(const BoxOptions& options) {
  std::vector<Feature> features;
  for (const std::string& feature : options.features)
    features.push_back(parse_feature(feature, concat("feature '", feature, "'")));
  std::set<std::string> columns = columns_of(features);
  columns.insert({"vpeak", "stellar_mass"});
  return columns;
}

std::int64_t boxes_in_memory(const BoxOptions& options) {
  // Lists of halos need less memory than grids.
  const std::int64_t v = options.voxels;
  const std::int64_t boxes = kGroupNumbers / (v * v * v * static_cast<std::int64_t>(options.channels()));
  return boxes < kBatch ? std::max<std::int64_t>(boxes, 1) : boxes / kBatch * kBatch;
}

}  // namespace

BoxStream::BoxStream(const std::filesystem::path& catalog, const BoxOptions& options,
                     const std::filesystem::path& scratch_folder, const BoxStreamLimits& limits,
                     const StageReport& progress)
    : reader_(catalog, columns_for(options), limits.rows),
      cutter_(reader_.header(), options),
      folder_(scratch_folder.empty() ? "." : scratch_folder),
      per_group_(limits.boxes > 0 ? limits.boxes : boxes_in_memory(options)) {
  require(count() <= kMostBoxes, count(), " sub-boxes are too many for one run, at most ", kMostBoxes,
          " are expected; take larger sub-boxes or parts of the catalog");
  per_group_ = std::min(per_group_, count());
  if (options.input == BoxInput::kVoxels) cutter_.check_memory(per_group_);
  groups_ = (count() + per_group_ - 1) / per_group_;
  Stage stage(progress, "reading halos", reader_.rows());
  for (Catalog part; reader_.next(part);) {
    stage.add(part.rows());
    const std::size_t before = buffer_.size();
    cutter_.cut(part, buffer_);
    for (std::size_t at = before; at < buffer_.size(); at += cutter_.words())
      halos_ += BoxCutter::enters(buffer_[at]) ? 1 : 0;
    if (buffer_.size() > limits.words) spill();
  }
  if (!scratch_) {
    sort_buffer();
  } else if (!buffer_.empty()) {
    spill();
  }
  if (scratch_) std::vector<std::uint64_t>().swap(buffer_);
}

// A counting sort by group, which keeps the order of rows within a group.
void BoxStream::sort_buffer() {
  const std::size_t words = cutter_.words();
  const auto group = [&](std::size_t at) {
    return static_cast<std::size_t>(cutter_.box_of(buffer_[at]) / per_group_);
  };
  Run run{std::vector<std::uint64_t>(static_cast<std::size_t>(groups_) + 1, 0)};
  for (std::size_t at = 0; at < buffer_.size(); at += words) run.begin[group(at) + 1] += words;
  for (std::size_t g = 1; g < run.begin.size(); ++g) run.begin[g] += run.begin[g - 1];
  if (groups_ > 1) {
    std::vector<std::uint64_t> next(run.begin.begin(), run.begin.end() - 1), sorted(buffer_.size());
    for (std::size_t at = 0; at < buffer_.size(); at += words) {
      std::uint64_t& to = next[group(at)];
      std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(at), words,
                  sorted.begin() + static_cast<std::ptrdiff_t>(to));
      to += words;
    }
    buffer_.swap(sorted);
  }
  runs_.push_back(std::move(run));
}

void BoxStream::spill() {
  if (groups_ == 1) return;  // the buffer is the only group
  if (!scratch_) scratch_.emplace(folder_);
  sort_buffer();
  for (std::uint64_t& begin : runs_.back().begin) begin += scratch_->size();
  scratch_->append(buffer_);
  buffer_.clear();
}

std::optional<BoxSet> BoxStream::next() {
  if (next_ >= groups_) return std::nullopt;
  const auto group = static_cast<std::size_t>(next_);
  const std::int64_t first = next_ * per_group_;
  const std::int64_t boxes = std::min(per_group_, count() - first);
  ++next_;
  if (!scratch_) {
    const std::vector<std::uint64_t>& begin = runs_.front().begin;
    return cutter_.build(first, boxes,
                         std::span(buffer_).subspan(begin[group], begin[group + 1] - begin[group]));
  }
  std::size_t words = 0;
  for (const Run& run : runs_) words += run.begin[group + 1] - run.begin[group];
  std::vector<std::uint64_t> halos(words);
  std::size_t at = 0;
  for (const Run& run : runs_) {
    const std::size_t length = run.begin[group + 1] - run.begin[group];
    scratch_->read(run.begin[group], std::span(halos).subspan(at, length));
    at += length;
  }
  return cutter_.build(first, boxes, halos);
}

}  // namespace umbra
