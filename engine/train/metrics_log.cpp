#include "engine/train/metrics_log.h"

#include <cstdio>
#include <cstdlib>
#include <string>

#include "engine/io/atomic_file.h"

namespace umbra {
namespace {

std::string header_of(const std::string& metric) {
  return "epoch,step,split,loss," + metric + ",lr,grad_norm,seconds\n";
}

// Rows of the file up to `last_step`. Anything else (a line truncated by a kill) is dropped.
std::string rows_up_to(const std::filesystem::path& path, std::int64_t last_step, const std::string& header) {
  std::ifstream in(path);
  std::string text = header, line;
  if (std::getline(in, line))
    require(line.find(",step,") != std::string::npos, path.string(), ": the first line is not '",
            header.substr(0, header.size() - 1),
            "', so the rows of the run cannot be kept; restore the file or remove it");
  while (std::getline(in, line)) {
    const std::size_t comma = line.find(',');
    if (comma == std::string::npos || in.eof() || line + "\n" == header) continue;
    const std::int64_t step = std::strtoll(line.c_str() + comma + 1, nullptr, 10);
    if (step > 0 && step <= last_step) text += line + "\n";
  }
  return text;
}

}  // namespace

MetricsLog::MetricsLog(const std::filesystem::path& path, std::int64_t first_step, const std::string& metric)
    : path_(path) {
  const std::string header = header_of(metric);
  write_text_file(path, first_step > 0 ? rows_up_to(path, first_step, header) : header);
  out_.open(path, std::ios::app);
  require(out_.good(), path.string(), ": cannot be written");
}

void MetricsLog::row(const Report& r, const char* split) {
  char buffer[256];
  std::snprintf(buffer, sizeof buffer, "%lld,%lld,%s,%.9g,%.9g,%.9g,%.9g,%.4g\n",
                static_cast<long long>(r.epoch) + 1, static_cast<long long>(r.step), split, r.loss, r.metric,
                r.learning_rate, r.gradient_norm, r.seconds);
  out_ << buffer;
}

void MetricsLog::on_step_done(const Report&, bool) {
  out_.flush();
  require(out_.good(), path_.string(), ": could not be written (is the disk full?)");
}

}  // namespace umbra
