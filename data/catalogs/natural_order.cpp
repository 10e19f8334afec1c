#include "data/catalogs/natural_order.h"

#include <algorithm>

namespace umbra {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Takes the leading run of digits off `text`, without leading zeros.
std::string_view take_number(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit) - text.begin();
  std::string_view number = text.substr(0, static_cast<std::size_t>(end));
  text.remove_prefix(static_cast<std::size_t>(end));
  number.remove_prefix(std::min(number.find_first_not_of('0'), number.size()));
  return number;
}

}  // namespace

bool natural_less(std::string_view a, std::string_view b) {
  const std::string_view whole_a = a, whole_b = b;
  while (!a.empty() && !b.empty()) {
    if (is_digit(a.front()) && is_digit(b.front())) {
      const std::string_view x = take_number(a), y = take_number(b);
      if (x.size() != y.size())
        return x.size() < y.size();  // more digits, larger number, however many there are
      if (x != y) return x < y;
    } else {
      if (a.front() != b.front()) return a.front() < b.front();
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
  }
  if (a.empty() != b.empty()) return a.empty();
  return whole_a < whole_b;  // "a01" and "a1" differ: any fixed order will do
}

}  // namespace umbra
