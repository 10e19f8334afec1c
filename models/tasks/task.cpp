#include "models/tasks/task.h"

namespace umbra {

#define TASK(name) std::unique_ptr<Task> name##_task();
#include "models/tasks/tasks.def"
#undef TASK

namespace {

std::vector<std::unique_ptr<Task>> all_tasks() {
  std::vector<std::unique_ptr<Task>> tasks;
#define TASK(name) tasks.push_back(name##_task());
#include "models/tasks/tasks.def"
#undef TASK
  return tasks;
}

}  // namespace

void TrainingData::keep(std::int64_t count) {
  split_.train.resize(static_cast<std::size_t>(count));
  split_.validation = split_.train;
}

std::vector<double> Task::combined(const std::vector<std::vector<double>>& of_members, const Fitted&) const {
  std::vector<double> mean(of_members.front().size(), 0.0);
  for (const std::vector<double>& member : of_members) {
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += member[i];
  }
  for (double& value : mean) value /= static_cast<double>(of_members.size());
  return mean;
}

std::unique_ptr<Task> make_task(std::string_view name) {
  std::string known;
  for (std::unique_ptr<Task>& task : all_tasks()) {
    if (task->name() == name) return std::move(task);
    known += concat(known.empty() ? "" : ", ", task->name());
  }
  fail("there is no task ", name, "; there are ", known);
}

std::vector<std::string> task_names() {
  std::vector<std::string> names;
  for (const std::unique_ptr<Task>& task : all_tasks()) names.emplace_back(task->name());
  return names;
}

std::string task_of_file(const std::filesystem::path& file) {
  const std::vector<std::unique_ptr<Task>> tasks = all_tasks();
  for (const std::unique_ptr<Task>& task : tasks) {
    if (task->recognises(file)) return std::string(task->name());
  }
  return std::string(tasks.front()->name());
}

}  // namespace umbra
