#include "engine/io/setting_names.h"

#include <algorithm>

#include "engine/base/nearest.h"

namespace umbra {
namespace {

struct Synonym {
  std::string_view word, name;
};
constexpr Synonym kSynonyms[] = {
    {"bs", "batch"},           {"batch_size", "batch"},   {"l2", "weight_decay"},
    {"optim", "optimizer"},    {"num_epochs", "epochs"},  {"n_epochs", "epochs"},
    {"rate", "learning_rate"}, {"scheduler", "schedule"}, {"box_size", "subbox_size"},
    {"random_seed", "seed"},   {"random_state", "seed"},  {"gpu", "device"},
    {"model", "name"},         {"grad_clip", "clip"}};

// "Learning-Rate" -> "learning_rate"
std::string plain(std::string_view word) {
  std::string text = lower_case(word);
  std::replace(text.begin(), text.end(), '-', '_');
  return text;
}

std::string_view last_word(std::string_view key) {
  return key.substr(key.rfind('.') + 1);  // npos + 1 is 0
}

// "learning_rate" -> "lr"
std::string initials(std::string_view name) {
  std::string letters;
  for (std::size_t i = 0; i < name.size(); ++i)
    if (i == 0 || name[i - 1] == '_') letters += name[i];
  return letters.size() > 1 ? letters : "";
}

template <class Is>
std::string first_key(const std::vector<Setting>& settings, const Is& is) {
  const auto found = std::find_if(settings.begin(), settings.end(), is);
  return found == settings.end() ? "" : found->key;
}

}  // namespace

std::string key_named(std::string_view word, const std::vector<Setting>& settings) {
  const std::string wanted = plain(word), name(last_word(wanted));
  std::string key = first_key(settings, [&](const Setting& s) { return plain(s.key) == wanted; });
  if (key.empty()) key = first_key(settings, [&](const Setting& s) { return last_word(s.key) == name; });
  for (const Synonym& synonym : kSynonyms) {
    if (!key.empty() || synonym.word != name) continue;
    key = first_key(settings, [&](const Setting& s) { return last_word(s.key) == synonym.name; });
  }
  if (key.empty())
    key = first_key(settings, [&](const Setting& s) { return initials(last_word(s.key)) == name; });
  return key;
}

std::string nearest_key(std::string_view word, const std::vector<Setting>& settings) {
  if (std::string key = key_named(word, settings); !key.empty()) return key;
  const std::string wanted = plain(word);
  const bool section = wanted.find('.') != std::string::npos;
  std::string nearest;
  std::size_t least = most_edits(last_word(wanted)) + 1;
  for (const Setting& setting : settings) {  // the section may be wrong, missing or misspelt
    const std::size_t whole = misspelling(wanted, setting.key);
    const std::size_t last = misspelling(last_word(wanted), last_word(setting.key)) + (section ? 1 : 0);
    if (std::min(whole, last) >= least) continue;
    least = std::min(whole, last);
    nearest = setting.key;
  }
  return nearest;
}

}  // namespace umbra
