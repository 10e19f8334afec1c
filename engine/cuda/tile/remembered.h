// Answers that are expensive to find and always the same for the same question: how a problem is planned. A step that
// is not replayed as a graph asks again at every call.
#pragma once

#include <map>
#include <mutex>

namespace umbra {

/// Thread-safe. Keeps every answer: there are as many as different problems.
template <class Question, class Answer>
class Remembered {
 public:
  /// The answer to `question`; find() is called for a new one.
  template <class Find>
  Answer of(const Question& question, Find find) {
    const std::lock_guard lock(mutex_);
    const auto known = answers_.find(question);
    return known != answers_.end() ? known->second : answers_.emplace(question, find()).first->second;
  }

 private:
  std::mutex mutex_;
  std::map<Question, Answer> answers_;
};

}  // namespace umbra
