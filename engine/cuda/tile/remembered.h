// Answers that are expensive to find and always the same for the same question: how a problem is planned. A step that
// is not replayed as a graph asks again at every call.
#pragma once

#include <map>
#include <mutex>

namespace umbra {

/// Thread-safe; a new question waits while another thread finds an answer. Keeps 4,096 answers, then begins again: a
/// network has some 40 problems per size of a batch.
template <class Question, class Answer>
class Remembered {
 public:
  /// The answer to `question`; find() is called for a new one.
  template <class Find>
  Answer of(const Question& question, Find find) {
    const std::lock_guard lock(mutex_);
    if (const auto known = answers_.find(question); known != answers_.end()) return known->second;
    constexpr std::size_t kMost = 4096;
    if (answers_.size() == kMost) answers_.clear();
    return answers_.emplace(question, find()).first->second;
  }

 private:
  std::mutex mutex_;
  std::map<Question, Answer> answers_;
};

}  // namespace umbra
